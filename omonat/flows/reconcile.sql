-- name: opened_for
-- The entries that openings name, wherever they stand: with a place, or still waiting for one.
select e.id, e.at, e.body from placements p join entries e on e.txid = p.txid and e.id = p.entry
 where p.entry = any(:ids::text[])
union
select e.id, e.at, e.body from entries e
 where e.id = any(:ids::text[]) and (
    e.txid >= coalesce((select pg_snapshot_xmax(seen)::text::bigint from evidence_log), 0)
    or e.txid = any (array(select pg_snapshot_xip(seen)::text::bigint from evidence_log)));

-- name: told_openings
-- Openings without an entry that were found earlier, as the log tells them.
select e.id, e.at, e.body from entries e
 where e.act like 'opening:%' and e.act = 'opening:section:unexplained' order by e.at limit :most;

-- name: unanswered
-- What registers alone said of openings since an instant, as the log tells it.
select e.body from entries e
 where e.act like 'opening:%' and e.act = 'opening:section:unanswered' and e.at >= :since;

-- name: rows_without_entry
-- Rows no entry speaks of. Reads everything: an audit, not a use.
select kind, id, entry from (
    select 'record' as kind, id, 'ev' || substr(id, 4) as entry, collected_at as at from records
     union all
    select 'choice', id, entry, at from choices
     union all
    select 'telling', person || ' ' || version || ' ' || channel, entry, at from tellings
     union all
    select 'case', id, coalesce(entry, ''), opened_at from cases
     union all
    select 'review', id, entry, at from safeguard_reviews
) r
 where not exists (select from entries e where e.id = r.entry)
   and (r.kind <> 'case' or r.entry <> '' or r.at >= (select since from reconciling))
   and (r.kind <> 'record' or r.at >= (select since from reconciling))
 order by r.at, r.id limit :most;

-- name: entries_without_row
-- Entries of living people, and of reviews, that made a row which isn't there, and isn't said to be gone. Reads
-- everything.
with told as (
    select e.txid, e.id, e.at,
           case when e.act = 'collect:record:accepted' then 'record' when e.act = 'notice:person:told' then 'telling'
                when e.act = 'case:work:opened' then 'case'
                when e.act like 'safeguard:review:%' then 'review' else 'choice' end as kind
      from entries e
     where e.at >= (select since from reconciling)
       and (e.act in ('collect:record:accepted', 'notice:person:told', 'case:work:opened')
            or e.act like 'safeguard:review:%' or e.act ~ '^choice:[a-z]+:(given|withdrawn)$')
)
select t.kind, t.id as entry from told t
 where (t.kind = 'review' or exists (select from ledger l where l.entry = t.id))
   and not exists (select from rows_gone g where g.entry = t.id and g.kind = t.kind)
   and not (t.kind = 'record' and exists (select from records r where r.id = 'rec' || substr(t.id, 3)))
   and not (t.kind = 'choice' and exists (select from choices c where c.entry = t.id))
   and not (t.kind = 'review' and exists (select from safeguard_reviews s where s.entry = t.id))
   and not (t.kind = 'telling' and exists (  -- told twice by one channel, the first time stands
            select from ledger l join tellings n on n.person = l.person
             where l.entry = t.id and n.at <= t.at
               and n.channel = (select entry_facts(body) ->> 'channel' from entries
                                where txid = t.txid and id = t.id)))
   and not (t.kind = 'case' and exists (select from cases k where k.entry = t.id))
 order by t.at, t.id limit :most;

-- name: gone_without_entry
-- Rows that were deleted by a transaction which wrote no entry.
select g.kind, g.entry from rows_gone g
 where not exists (select from entries e where e.txid = g.txid) order by g.entry limit :most;

-- name: choices_that_differ
-- Choices that say something else than their entries, or that one of both lacks. Reads everything.
with said as (
    select e.id as entry, e.at, split_part(e.act, ':', 2) as kind, coalesce(f.facts ->> 'purpose', '') as purpose,
           split_part(e.act, ':', 3) as state
      from entries e cross join lateral (select entry_facts(e.body) as facts) f
     where e.act ~ '^choice:[a-z]+:(given|withdrawn)$'
     union all
    select e.id, e.at, 'consent', c.key, case c.value when 'given' then 'given' else 'withdrawn' end
      from entries e cross join lateral jsonb_each_text(entry_facts(e.body) -> 'consents') c
     where e.act = 'collect:record:accepted'
     union all
    select e.id, e.at, 'acceptance', '', 'given'
      from entries e
     where e.act = 'collect:record:accepted' and entry_facts(e.body) ? 'accepted'
)
select s.entry, s.kind, s.purpose from said s
  left join choices c on c.entry = s.entry and c.kind = s.kind and c.purpose = s.purpose
 where s.at >= (select since from reconciling)
   and c.state is distinct from s.state
   and exists (select from ledger l where l.entry = s.entry)
   and not exists (select from rows_gone g where g.entry = s.entry and g.kind = 'choice')
 order by s.at, s.entry, s.purpose limit :most;

-- name: standings
-- Everybody's standing beside their choices, in the order they were written down, which is their entries', those without
-- a place yet as well: the projection must be what the choices give.
select p.id, p.standing, p.restricted_at is not null as restricted,
       (select array_agg(array[c.kind, c.purpose, c.state, c.version::text, c.entry]
                         order by coalesce(e.at, g.at, c.at), c.id)
          from choices c
          left join placements l on l.entry = c.entry
          left join entries e on e.txid = l.txid and e.id = l.entry
          left join ledger g on g.person = c.person and g.entry = c.entry
         where c.person = p.id) as choices
  from persons p where p.erased_at is null and p.id > :after order by p.id limit :most;

-- name: ledger_without_entry
-- Rows of the ledger that name an entry there isn't, or another time than the entry's. Reads everything.
select l.entry from ledger l left join entries e on e.txid = l.txid and e.id = l.entry
 where e.at is distinct from l.at order by l.at, l.entry limit :most;

-- name: ledger_of_nobody
-- Rows of the ledger of people there are none of: nobody finds them by looking up who looked. Reads everything.
select l.entry from ledger l where not exists (select from persons p where p.id = l.person)
 order by l.at, l.entry limit :most;

-- name: rows_without_ledger
-- Rows of living people whose entry doesn't stand in their ledger: whoever looks up who looked misses it there. A case
-- that was opened for nobody yet has an entry that concerns nobody. Reads everything.
select kind, entry from (
    select 'record' as kind, 'ev' || substr(id, 4) as entry, person, collected_at as at from records
     union all
    select 'choice', entry, person, at from choices
     union all
    select 'telling', entry, person, at from tellings
     union all
    select 'case', c.entry, c.person, c.opened_at from cases c
     where exists (select from entries e
                    where e.id = c.entry and entry_facts(e.body) ? 'case')
) r
 where r.at >= (select since from reconciling)
   and exists (select from persons p where p.id = r.person and p.erased_at is null)
   and exists (select from entries e where e.id = r.entry)
   and not exists (select from ledger l where l.person = r.person and l.entry = r.entry)
 order by r.at, r.entry limit :most;

-- name: ledger_of_people
-- The next people, the living and whoever of the erased has a ledger, with their evidence slot, their cases, and that
-- ledger: each entry with what it commits to, or that it can't be read.
select p.id, p.evidence_slot,
       (select array_agg(k.id order by k.opened_at desc, k.id) from cases k where k.person = p.id) as cases,
       (select array_agg(array[l.entry, e.act, case when f.facts is null then 'altered' end,
                               f.facts ->> 'person', f.facts ->> 'case'] order by l.at, l.entry)
          from ledger l join entries e on e.txid = l.txid and e.id = l.entry
         cross join lateral (select entry_facts(e.body) as facts) f
         where l.person = p.id) as entries
  from persons p
 where (p.erased_at is null or (select true from ledger l where l.person = p.id limit 1)) and p.id > :after
 order by p.id limit :most;
