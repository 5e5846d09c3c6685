-- name: open_work_item!
-- One open item per rule, person and missing fact.
insert into work_items (id, rule, person, missing, opened_at)
values (:id, :rule, :person, :missing, :now)
on conflict (rule, coalesce(person, ''), missing) where closed_at is null do nothing;

-- name: close_work_item!
-- Somebody, or what opened it, has seen to it.
update work_items set closed_at = :now
 where rule = :rule and coalesce(person, '') = coalesce(:person, '') and missing = :missing and closed_at is null;

-- name: close_work_items_about!
-- Nothing waits by this rule any more for one person, whatever was missing.
update work_items set closed_at = :now
 where rule = :rule and coalesce(person, '') = :person and closed_at is null;

-- name: items_about
-- What waits by one rule about any of these: the first word of what is missing.
select person, missing from work_items
 where rule = :rule and closed_at is null and split_part(missing, ' ', 1) = any (:first_words::text[]);

-- name: open_work_items_of!
-- As `open_work_item`, many at once.
insert into work_items (id, rule, person, missing, opened_at)
select q.id, :rule, q.person, q.missing, :now
  from unnest(:ids::text[], :people::text[], :missing::text[]) as q(id, person, missing)
on conflict (rule, coalesce(person, ''), missing) where closed_at is null do nothing;

-- name: close_work_items_of!
-- As `close_work_item`, many at once.
update work_items w set closed_at = :now
  from unnest(:people::text[], :missing::text[]) as q(person, missing)
 where w.rule = :rule and w.closed_at is null and coalesce(w.person, '') = q.person and w.missing = q.missing;

-- name: close_work_items_by!
-- All that waits by one rule about nobody: one act settled it.
update work_items set closed_at = :now where rule = :rule and person is null and closed_at is null;
