-- name: add_notices!
-- Systems to be told of an erasure; telling one twice is one notice.
insert into system_notices (erasure, system, erases, about, state, due_at, created_at)
select q.erasure, q.system, q.erases, q.about, 'waiting', :now, :now
  from unnest(:erasure::text[], :system::text[], :erases::text[], :about::jsonb[]) as q(erasure, system, erases, about)
    on conflict do nothing;

-- name: add_recipients!
-- Recipients outside to be told of a correction.
insert into system_notices (erasure, system, erases, about, state, due_at, created_at, kind)
select :erasure, q.system, q.erases, q.about, 'waiting', :now, :now, 'recipient'
  from unnest(:system::text[], :erases::text[], :about::jsonb[]) as q(system, erases, about)
    on conflict do nothing;

-- name: notices_of
-- Which systems, or recipients, were told of an erasure, and which said it is done.
select system, erases, state, attempts, created_at, sent_at, acknowledged_at, entry
  from system_notices where erasure = :erasure and kind = :kind order by system;

-- name: told_about^
-- Whether a notice is a recipient's, and whom it concerns.
select n.kind, n.erases, e.items, p.id as person, p.evidence_slot
  from system_notices n join erasures e on e.id = n.erasure
  left join persons p on p.id = e.person and p.erased_at is null
 where n.erasure = :erasure and n.system = :system;

-- name: claim_notices
-- Notices to be sent; while one is under way nobody else sends it.
with picked as (
    select erasure, system from system_notices
     where state <> 'acknowledged' and erases = 'webhook' and due_at <= :now
       and system = any(case kind when 'recipient' then :recipients::text[] else :reachable::text[] end)
     order by due_at limit :most for update skip locked
)
update system_notices n set due_at = :until, attempts = n.attempts + 1
  from picked where n.erasure = picked.erasure and n.system = picked.system
returning n.erasure, n.system, n.about, n.attempts, n.created_at, n.kind;

-- name: note_sent!
-- Taken over by the system; it is told again unless it says that it is done.
update system_notices set state = 'sent', sent_at = coalesce(sent_at, :now), due_at = :due
 where erasure = :erasure and system = :system and state <> 'acknowledged';

-- name: put_off!
-- Not taken over: told again later.
update system_notices set due_at = :due where erasure = :erasure and system = :system and state <> 'acknowledged';

-- name: acknowledge^
-- The system says that it is done; the first word counts.
update system_notices
   set state = 'acknowledged', acknowledged_at = coalesce(acknowledged_at, :now),
       acknowledged_by = coalesce(acknowledged_by, :by), entry = coalesce(entry, :entry)
 where erasure = :erasure and system = :system
returning entry, acknowledged_at;

-- name: cases_of_person
-- The cases a person's data lay in, by which other systems know them.
select id from cases where person = :person order by id limit :most;
