-- name: open_work_item!
-- One open item per rule, person and missing fact.
insert into work_items (id, rule, person, missing, opened_at)
values (:id, :rule, :person, :missing, :now)
on conflict (rule, coalesce(person, ''), missing) where closed_at is null do nothing;

-- name: close_work_item!
-- Somebody, or what opened it, has seen to it.
update work_items set closed_at = :now
 where rule = :rule and coalesce(person, '') = coalesce(:person, '') and missing = :missing and closed_at is null;
