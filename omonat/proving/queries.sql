-- name: published
-- Every version as its author wrote it, and what is kept beside it.
select ordinal, version, digest, document, author, approver from policies order by ordinal;

-- name: noted
-- Runs that were begun, or people of theirs erased, and not cleaned up after.
select missing from work_items where rule = :rule and closed_at is null order by opened_at, id;

-- name: cases_of_run
-- The cases of a proving that are there: whose, and whether they are open.
select id, person, closed_at is null as is_open from cases where id = any(:ids::text[]) order by id;

-- name: live_clients
-- Credentials of a proving that were not ended.
select name from clients where name = any(:names::text[]) and until > :now;

-- name: live_staff
-- Staff made for a proving whose role was not ended.
select ref, role from staff where ref = any(:refs::text[]) and role_until > :now;

-- name: rows_of
-- All that is held of a person, as an attacker with a copy of the tables has it.
select s.record, s.category, s.person, s.sealed, r.slot as record_slot, r.version, p.slot as person_slot
  from sections s join records r on r.id = s.record join persons p on p.id = s.person
 where s.person = :person order by s.record, s.category;

-- name: person_row^
-- One person as they stand.
select slot, told, standing, erased_at from persons where id = :person;

-- name: left_of^
-- What is left of an erased person in the living tables.
select (select count(*) from sections where person = :person) as sections,
       (select count(*) from records where person = :person) as records,
       (select count(*) from lookups where person = :person) as lookups,
       (select count(*) from outbox where person = :person) as messages,
       (select count(*) from ledger where person = :person) as ledger;

-- name: found_by^
-- How many people one of these digests leads to.
select count(*) as people from lookups where digest = any(:digests::bytea[]) and item = :item;

-- name: accepted_by
-- What a person accepted, by version.
select version, kind, state from choices where person = :person order by at, id;

-- name: tellings_of
-- The versions a person was told of.
select distinct version from tellings where person = :person order by version;

-- name: entries_at
-- The entries at these places of the log.
select p.index, e.body from placements p join entries e on e.txid = p.txid and e.id = p.entry
 where p.index = any(:indexes::bigint[]) order by p.index;

-- name: announced
-- The newest of what was announced, versions of the policy among it.
select id, said from (
    select id, said, published_at from announcements where published_at is not null
     union all
    select 'version-' || ordinal, null::jsonb, published_at from policies
) as q order by published_at desc, id desc limit 20;

-- name: request_written^
-- A request as it was written, with what was written beside it.
select r.kind, r.state, r.due_at, r.about, r.item, r.proposed is not null as given,
       (select count(*) from sections s join records k on k.id = s.record where k.case_id = r.case_id) as sealed,
       (select count(*) from ledger l join entries e on e.txid = l.txid and e.id = l.entry
         where l.person = c.person and e.act = 'request:person:received'
           and e.txid = pg_current_xact_id()::text::bigint) as entries,
       (select count(*) from outbox o where o.person = c.person and o.template = 'request-received') as letters
  from requests r join cases c on c.id = r.case_id where r.number = :number;

-- name: forget_code^
-- A code that was asked for to an address of nobody ends with the probe.
delete from sign_in_codes where id = :id returning id;

-- name: work_about^
-- How much waits by one rule about something, by the first words of what is missing.
select count(*) as waits from work_items
 where rule = :rule and closed_at is null and starts_with(missing || ' ', :about || ' ');

-- name: late_and_not_gone_up^
-- How many open requests that staff may work on are overdue, and how many of those nobody higher was told of.
select count(*) as overdue,
       count(*) filter (where not exists (select from escalations e where e.number = r.number and e.due_at = r.due_at
                                             and e.step = 'overdue')) as requests
  from requests r join cases k on k.id = r.case_id join persons p on p.id = k.person and p.erased_at is null
 where r.state in ('received', 'confirmed', 'claimed', 'reopened') and r.state <> 'closed'
   and (not r.needs_proof or r.proved_at is not null) and r.due_at <= :now;
