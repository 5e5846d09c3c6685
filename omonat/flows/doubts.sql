-- name: begin_doubt$
-- A doubt begins; null when it stands already.
insert into work_items (id, rule, person, missing, opened_at)
values (:id, :rule, null, :about, :now)
on conflict (rule, coalesce(person, ''), missing) where closed_at is null do nothing
returning id;

-- name: end_doubt$
-- It is over; null when none stood.
update work_items set closed_at = :now
 where rule = :rule and person is null and missing = :about and closed_at is null
returning id;

-- name: doubts
-- What is in doubt now, the oldest first.
select rule, missing, opened_at from work_items
 where closed_at is null and person is null and rule like 'doubt-%' order by opened_at, rule, missing;
