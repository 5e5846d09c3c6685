-- name: lock_procedures$
-- The newest version of the procedure, 0 for none; two writers never take the same number.
select coalesce(max(version), 0) from (select version from client_procedures order by version for update) as q;

-- name: write_procedure!
-- A new version; it waits for the second person.
insert into client_procedures (version, steps, written_by, written_at, entries)
values (:version, :steps, :by, :now, :entries);

-- name: procedure_for_update^
-- One version, locked until it is decided.
select version, steps, written_by, written_at, approved_by, approved_at, entries
  from client_procedures where version = :version for update;

-- name: approve_procedure!
-- The second person agrees.
update client_procedures set approved_by = :by, approved_at = :now, entries = entries || :entries::jsonb
 where version = :version;

-- name: procedures
-- Every version, newest first.
select version, steps, written_by, written_at, approved_by, approved_at, entries
  from client_procedures order by version desc;

-- name: procedure_in_force^
-- The newest version that was approved.
select version, steps, written_by, written_at, approved_by, approved_at, entries
  from client_procedures where approved_at is not null order by version desc limit 1;

-- name: register_client!
-- A company by its name, or a sole trader by their person, whom the caller holds.
insert into business_clients (id, name, trader, registered_by, registered_at, entries)
values (:id, :name, :trader, :by, :now, :entries);

-- name: client_for_update^
-- One, locked until it is changed.
select id, name, trader, registered_at, ended_at, entries from business_clients where id = :id for update;

-- name: end_client!
-- They are no client any more, and nobody of them is owed anything.
update business_clients set ended_at = :now, entries = entries || :entries::jsonb where id = :id;

-- name: client^
-- One client.
select id, name, trader, registered_at, ended_at, entries from business_clients where id = :id;

-- name: clients
-- The next clients, the newest first; the first ones after none.
select id, name, trader, registered_at, ended_at, entries from business_clients
 where :after = '' or registered_at < :before or (registered_at = :before and id > :after)
 order by registered_at desc, id limit :most;

-- name: owing_clients
-- Clients something is owed to, by the work that waits for it: the longest waiting first.
select c.id, c.name, c.trader, c.registered_at, c.ended_at, c.entries
  from (select split_part(missing, ' ', 1) as client, min(opened_at) as since
          from work_items where rule = :rule and closed_at is null group by 1) as w
  join business_clients c on c.id = w.client and c.ended_at is null
 order by w.since, c.id limit :most;

-- name: somebody_unnamed$
-- Whether there is a client of whom nobody is named to be told.
select exists (
    select from business_clients b where b.ended_at is null and not exists (
        select from business_contacts c join persons p on p.id = c.person
         where c.client = b.id and c.until is null and p.erased_at is null));

-- name: person_of_client^
-- Somebody who may be a contact or a sole trader, locked until that is written.
select id, evidence_slot from persons where id = :id and erased_at is null for key share;

-- name: put_contact!
-- Somebody to be told from now on, or not any more.
insert into business_contacts (client, person, part, since, until, entry)
values (:client, :person, :part, :now, :until, :entry)
on conflict (client, person, part) do update
   set since = case when business_contacts.until is null then business_contacts.since else excluded.since end,
       until = excluded.until, entry = excluded.entry;

-- name: contacts_of
-- Who is to be told at these clients.
select c.client, c.person, c.part, c.since, p.evidence_slot
  from business_contacts c join persons p on p.id = c.person
 where c.client = any (:clients::text[]) and c.until is null and p.erased_at is null
 order by c.client, c.part, c.person;

-- name: contacts_held
-- The same, of clients the caller holds: nobody of them is erased until what is decided about them is written.
select c.client, c.person, c.part, c.since, p.evidence_slot
  from business_contacts c join persons p on p.id = c.person
 where c.client = any (:clients::text[]) and c.until is null and p.erased_at is null
 order by p.id, c.client, c.part
   for key share of p;

-- name: add_client_notices!
-- What each was given, with the receipt of its entry.
insert into client_notices (id, client, person, procedure, step, version, channel, given_at, recorded_by, recorded_at,
                            entry, receipt)
select q.id, :client, q.person, :procedure, :step, :version, :channel, :given_at, :by, :now, q.entry, q.receipt
  from unnest(:ids::text[], :people::text[], :entries::text[], :receipts::text[]) as q(id, person, entry, receipt);

-- name: given_to
-- What these clients were given, newest first.
select client, person, procedure, step, version, channel, given_at, recorded_at, entry, receipt, acknowledged_at,
       acknowledgement
  from client_notices where client = any (:clients::text[]) order by given_at desc, entry;

-- name: occasions
-- What clients are told of: versions of the policy, and breaches that many were told of.
select 'policy-version' as kind, version as about, published_at as at from policies
 union all
select 'security-breach', id, approved_at from service_rounds where kind = 'security-breach' and approved_at is not null;

-- name: last_given_to
-- When each contact of these clients was last given each step.
select client, person, step, max(given_at) as given_at
  from client_notices where client = any (:clients::text[]) group by client, person, step;

-- name: notice_of_client^
-- A notice by its entry, locked until its acknowledgement is written.
select n.id, n.person, n.step, n.given_at, n.acknowledgement, p.evidence_slot
  from client_notices n join persons p on p.id = n.person
 where n.entry = :entry and n.client = :client and p.erased_at is null
   for update of n;

-- name: acknowledge_notice!
-- They confirmed that they got it.
update client_notices set acknowledged_at = :at, acknowledgement = :entry where id = :id;

-- name: standing_clients
-- The next clients that are still clients, in the order of their ids, locked until what is owed to them is settled.
select id, name, trader, registered_at, ended_at, entries from business_clients
 where ended_at is null and id > :after order by id limit :most for update;

-- name: what_happened^
-- What makes notices owed without anybody touching a client: the newest of each.
select (select max(version) from client_procedures where approved_at is not null) as procedure,
       (select max(version) from policies) as policy,
       (select max(approved_at) from service_rounds where kind = 'security-breach') as breach;

-- name: close_work_of_gone!
-- Who is no client any more is owed nothing, also where their row went with a sole trader.
update work_items w set closed_at = :now
 where w.rule = :rule and w.closed_at is null
   and not exists (select from business_clients c where c.id = split_part(w.missing, ' ', 1) and c.ended_at is null);
