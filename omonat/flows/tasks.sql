-- name: tasks
-- What waits for somebody by these rules, the oldest first, the same of several people in one; last, with what it has to
-- be told, what systems and recipients are told by hand, of which there may be many. So many work items are looked at.
with waiting as (
    select rule, missing, person, opened_at from work_items
     where closed_at is null and rule = any(:kinds::text[])
     order by rule = any(:by_hand::text[]), opened_at limit :most
),
together as (
    select rule, missing, min(opened_at) as since, count(person) as people,
           array_agg(person order by opened_at) filter (where person is not null) as some
      from waiting group by rule, missing
)
select t.*, n.about
  from together t
  left join system_notices n on t.rule = any(:by_hand::text[])
        and n.erasure = split_part(t.missing, ' ', 2) and n.system = split_part(t.missing, ' ', 1)
 order by t.rule = any(:by_hand::text[]), t.since, t.rule, t.missing;

-- name: settle_task$
-- Somebody has seen to it; of how many work items.
with closed as (
    update work_items set closed_at = :now
     where rule = :kind and missing = :about and closed_at is null returning id
)
select count(*) from closed;
