-- name: begin_erasure!
-- The intent, in the transaction that hides the data.
insert into erasures (id, scope, cause, person, record, items, asked_by, policy, counted, slots, seal, new_slot, stays,
                      lookup_epoch, hidden_at, sealed_at, entries)
values (:id, :scope, :cause, :person, :record, :items, :asked_by, :policy, :counted, :slots, :seal, :new_slot, :stays,
        :lookup_epoch, :now, :sealed_at, :entries);

-- name: person_to_hide^
-- A person, locked until the transaction ends, and the policy in force, which stays so as long.
select p.slot, p.evidence_slot, p.quarantined_at, p.erased_at, i.active_ordinal
  from persons p cross join installation i where p.id = :id
   for update of p for share of i;

-- name: hide_person!
-- Nobody reaches a locked person any more, nobody is signed in as them; with it the intent and its entry, in one round
-- trip. What nothing can stay of needs no sealing; what was found by no channel leaves no digest. Of the records their
-- services are asked, each found behind the one before, and of holds the few there are: neither takes longer for somebody
-- with many records or cases.
with recursive moment as (select pg_current_xact_id()::text::bigint as txid),
of_services (service) as (
    (select service from records where person = :person order by service limit 1)
    union all
    select (select r.service from records r where r.person = :person and r.service > s.service order by r.service limit 1)
      from of_services s where s.service is not null
), written as (
    insert into entries (txid, id, at, act, body, leaf)
    select moment.txid, e.* from moment,
        unnest(:ids::text[], :times::timestamptz[], :acts::text[], :bodies::bytea[], :leaves::bytea[]) as e
), hidden as (
    update persons
       set erased_at = coalesce(erased_at, :now), remains = false, standing = null, evidence_due_at = :evidence_due
     where id = :person
), signed_out as (
    delete from web_sessions where holder = :person
)
insert into erasures (id, scope, cause, person, record, items, asked_by, policy, counted, slots, seal, new_slot, stays,
                      lookup_epoch, hidden_at, sealed_at, entries)
select :id, :scope, :cause, :person, :record, :items, :asked_by, :policy, :counted, :slots, :seal, :new_slot, :stays,
       case when exists (select from lookups where person = :person) then :lookup_epoch::int end,
       :now,
       case when not exists (select from of_services where service <> all(:free::text[]))
             and not exists (
                 select from holds h
                  where h.released_at is null
                    and :person in (h.target, (select r.person from records r where r.id = h.target),
                                    (select k.person from cases k where k.id = h.target)))
            then :now::timestamptz end,
       :entries;

-- name: erasure_by_id^
-- An erasure, for whoever asks how far it is.
select * from erasures where id = :id;

-- name: erasure_of_person^
-- The erasure that took a person away.
select * from erasures where person = :person and scope = 'person' order by hidden_at desc limit 1;

-- name: erasures_of
-- Everything erased of a person, newest first.
select * from erasures where person = :person order by hidden_at desc limit 200;

-- name: erasure_for_update^
-- An erasure under way, locked until the transaction ends; nothing while somebody else is at it. Where its keys are to be
-- destroyed next, whether any of them still opens something of the living: then nobody destroys them.
select e.*,
       e.sealed_at is not null and e.destroyed_at is null and (
           exists (select from records where slot = any(e.slots))
           or exists (select from persons where slot = any(e.slots) and (erased_at is null or remains))
           or exists (select from persons where evidence_slot = any(e.slots))) as still_used
  from erasures e where e.id = :id and e.swept_at is null for update of e skip locked;

-- name: claim_erasure$
-- The oldest erasure that isn't swept yet and that nobody is at.
select id from erasures where swept_at is null and not id = any(:but::text[])
 order by hidden_at limit 1 for update skip locked;

-- name: move_erasure!
-- How far a long step has come, and what was found to stay.
update erasures set after = :after, stays = :stays where id = :id;

-- name: note_sealed!
-- What must stay is under new keys.
update erasures set sealed_at = :now, after = '', stays = :stays where id = :id;

-- name: note_destroyed!
-- The keys are gone on every registered copy; with that all is done of what left its rows with the intent. The entries
-- go with it.
with moment as (select pg_current_xact_id()::text::bigint as txid),
written as (
    insert into entries (txid, id, at, act, body, leaf)
    select moment.txid, e.* from moment,
        unnest(:ids::text[], :times::timestamptz[], :acts::text[], :bodies::bytea[], :leaves::bytea[]) as e
)
update erasures
   set destroyed_at = :now, copies = :copies, swept_at = :swept_at, final_at = :final_at, entries = entries || :entries
 where id = :id;

-- name: note_packets!
-- What must be shown later is sealed for an auditor, or there was nothing.
with moment as (select pg_current_xact_id()::text::bigint as txid),
written as (
    insert into entries (txid, id, at, act, body, leaf)
    select moment.txid, e.* from moment,
        unnest(:ids::text[], :times::timestamptz[], :acts::text[], :bodies::bytea[], :leaves::bytea[]) as e
)
update erasures set entries = entries || :entries where id = :id;

-- name: note_swept!
-- Nothing of it is left in the living tables, nor, where it is final, under a living look-up key.
with moment as (select pg_current_xact_id()::text::bigint as txid),
written as (
    insert into entries (txid, id, at, act, body, leaf)
    select moment.txid, e.* from moment,
        unnest(:ids::text[], :times::timestamptz[], :acts::text[], :bodies::bytea[], :leaves::bytea[]) as e
)
update erasures set swept_at = :now, final_at = :final_at, after = '', entries = entries || :entries where id = :id;

-- name: drop_rest$
-- A batch of an erased person's records that this erasure keeps nothing of; how many.
with gone as (
    delete from records where id = any (array(
        select id from records where person = :person and kept_by is distinct from :erasure limit :most
    )) returning 1
)
select count(*) from gone;

-- name: end_sessions!
-- Whoever is signed in as the person isn't any more.
delete from web_sessions where holder = :person;

-- name: leave_remains!
-- What must stay of an erased person, under the person's new key.
update persons set slot = :slot, remains = true where id = :id;

-- name: sweep_person!
-- What hangs on an erased person: messages, ways to be found, codes, work. Their cases stay tied to what remains.
with codes as (
    delete from sign_in_codes where digest in (select digest from lookups where person = :person)
), found as (
    delete from lookups where person = :person
), messages as (
    delete from outbox where person = :person
), notices as (
    delete from notices where person = :person
), service_notices as (
    delete from service_notices where person = :person
), given as (
    delete from client_notices where person = :person
), contacts as (
    delete from business_contacts where person = :person
), traders as (
    delete from business_clients where trader = :person
), sessions as (
    delete from web_sessions where holder = :person
), asked as (
    delete from parent_asks where person = :person
), paid as (
    delete from parent_payments where person = :person
), work as (
    delete from work_items where person = :person
), righted as (
    update requests set about = null where about = :person
), asked_about as (
    delete from confirmations where person = :person
), to_tell as (
    delete from corrections_to_tell where person = :person
), cut as (
    update cases set person = null
     where person = :person and not exists (select from persons p where p.id = :person and p.remains)
)
select 1;

-- name: drop_ledger$
-- A batch of the index of who looked, and the marks of what is gone with it; how many.
with gone as (
    delete from ledger where ctid = any (array(select ctid from ledger where person = :person limit :most))
    returning entry
), marks as (
    delete from rows_gone where entry = any (array(select entry from gone))
)
select count(*) from gone;

-- name: claim_not_final
-- Erasures whose last stage may have come: no digest of an erased channel is left under a living key.
select id, person from erasures
 where swept_at is not null and final_at is null and lookup_epoch < :epoch
 order by lookup_epoch limit :most for update skip locked;

-- name: note_final!
-- Nobody, with any copy, can bring it back.
update erasures set final_at = :now, entries = entries || :entries where id = any(:ids::text[]);

-- name: waiting_since$
-- Since when the oldest erasure waits for the end of its look-up key; null when none does.
select min(swept_at) from erasures where swept_at is not null and final_at is null;

-- name: erasure_of_record^
-- The newest erasure of a record.
select * from erasures where record = :record order by hidden_at desc limit 1;

-- name: keep_receipt!
-- An address at which an erasure is told, for whoever has it.
insert into erasure_receipts (token, erasure, until) values (:token, :erasure, :until) on conflict do nothing;

-- name: erasure_of_receipt^
-- The erasure of a receipt's address, and until when it is told there.
select erasure, until from erasure_receipts where token = :token and until > :now;

-- name: drop_receipts!
-- Addresses whose time is over.
delete from erasure_receipts where until <= :now;
