-- name: tasks
-- What waits for somebody by these rules, the same of several people in one; with what a system or recipient that is told
-- by hand has to be told. Of these, of which there may be many, and of the others the oldest `:most` each, how many there
-- are in `all_of`; of their cases `:cases`.
with waiting as (
    select rule, missing, min(opened_at) as since, max(opened_at) as newest, count(person) as people
      from work_items where closed_at is null and rule = any(:kinds::text[]) group by rule, missing
),
ranked as (
    select w.*, w.rule = any(:by_hand::text[]) as by_hand,
           row_number() over part as place, count(*) over (partition by w.rule = any(:by_hand::text[])) as all_of
      from waiting w window part as (partition by w.rule = any(:by_hand::text[]) order by w.since, w.rule, w.missing)
)
select r.rule, r.missing, r.since, r.newest, r.people, r.by_hand, r.all_of,
       array(select i.person from work_items i
              where i.closed_at is null and i.rule = r.rule and i.missing = r.missing and i.person is not null
              order by i.opened_at limit 3) as some,
       jsonb_path_query_array(n.about, '$.cases[0 to $last_shown]', jsonb_build_object('last_shown', :cases::int - 1)) as cases,
       coalesce(jsonb_array_length(n.about -> 'cases'), 0) as cases_of_all,
       n.about -> 'stays' as stays, n.about -> 'items' as items, n.about = '{}' as forgotten
  from ranked r
  left join system_notices n on r.by_hand
        and n.erasure = split_part(r.missing, ' ', 2) and n.system = split_part(r.missing, ' ', 1)
 where r.place <= :most
 order by r.by_hand, r.since, r.rule, r.missing;

-- name: waits$
-- Whether such a task waits that is about nobody.
select exists (select from work_items
                where rule = :kind and coalesce(person, '') = '' and missing = :about and closed_at is null);

-- name: lock_whom
-- Whom a task may open, locked before it as every act on a person does.
select p.id from persons p
 where p.id in (select person from work_items where rule = :kind and missing = :about and closed_at is null)
   for no key update of p;

-- name: settle_task$
-- Somebody has seen to what they were shown; of how many work items. Whom a restore closed is open again when nothing
-- else closes them.
with closed as (
    update work_items set closed_at = :now
     where rule = :kind and missing = :about and closed_at is null and opened_at <= :seen returning person
), opened as (
    update persons p set quarantined_at = null
     where :kind = 'quarantine' and p.id in (select person from closed)
       and not exists (select from work_items o
                        where o.rule in ('child', 'quarantine') and coalesce(o.person, '') = p.id
                          and o.closed_at is null and o.missing <> :about)
)
select count(*) from closed;
