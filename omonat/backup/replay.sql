-- name: notes!
-- Turns the noting of changes off or on, for this transaction's loading and replaying.
select control_notes(:wanted);

-- name: numbers!
-- Numbered rows go on behind the largest there is.
select control_numbers();

-- name: apply
-- Changes of the journal made again, in order; what became of each.
select q.n, control_apply(q.source, q.op, q.image) as became
  from unnest(:sources::text[], :ops::text[], :images::jsonb[]) with ordinality as q(source, op, image, n);

-- name: known_entries
-- Which of these entries this copy has, with the transaction that wrote them.
select id, txid from entries where id = any (:ids::text[]);

-- name: own_txid$
-- This transaction's number.
select pg_current_xact_id()::text::bigint;

-- name: place!
-- Entries at the indexes the log has given them.
insert into placements (index, entry, txid)
select * from unnest(:indexes::bigint[], :entries::text[], :txids::bigint[]);

-- name: same
-- Whether rows are what the journal said last; true for one whose person isn't in this copy.
select q.n, control_same(q.source, q.op, q.image) as same
  from unnest(:sources::text[], :ops::text[], :images::jsonb[]) with ordinality as q(source, op, image, n);

-- name: add_ledger!
-- Whom entries concern, where the journal knows it.
insert into ledger (person, at, entry, txid)
select q.person, e.at, e.id, e.txid
  from unnest(:persons::text[], :ids::text[]) as q(person, id)
  join entries e on e.id = q.id
 where exists (select from persons p where p.id = q.person)
   and not exists (select from ledger l where l.person = q.person and l.at = e.at and l.entry = e.id);

-- name: lost_counts!
-- Weeks of which anonymous counters are missing (`demographics`): nothing of their period is shown any more.
insert into demographics as d (week, question, answer, times)
select distinct date_trunc('week', q.day)::date, '', 'lost', 1 from unnest(:days::date[]) as q(day)
    on conflict (week, question, answer) do update set times = d.times + 1;

-- name: set_log!
-- The log as it stands on the disk: everything in it has its place.
update evidence_log set placed = greatest(placed, :size), published = :size, root = :root,
       marked = greatest(marked, :marked);

-- name: set_head!
-- The journal as it stands on the disk; nothing waits to be written.
insert into control_journal (frames, digest, high_water, generation)
values (:frames, :digest, :high_water, :generation)
on conflict (single) do update
   set frames = excluded.frames, digest = excluded.digest, high_water = excluded.high_water,
       generation = excluded.generation;

-- name: forget_waiting!
-- Changes that waited when the copy was taken were written to the journal afterwards.
delete from control_changes;

-- name: people
-- Everybody, with the slots of their secrets.
select id, slot, evidence_slot, erased_at is not null as erased from persons;

-- name: record_slots
-- Every record with the slot of its secret.
select id, slot from records;

-- name: bury_people!
-- People whose keys were destroyed: erased, whatever the copy says; nothing of theirs stays that their erasure removed.
update persons set erased_at = coalesce(erased_at, :now), standing = null where id = any (:ids::text[]);

-- name: bury_lookups!
delete from lookups where person = any (:ids::text[]);

-- name: bury_outbox!
delete from outbox where person = any (:ids::text[]);

-- name: bury_ledger!
-- After their records: the marks these left go with it.
with looked as (delete from ledger where person = any (:ids::text[]) returning entry)
delete from rows_gone where entry = any (array(select entry from looked));

-- name: bury_choices!
delete from choices where person = any (:ids::text[]);

-- name: bury_tellings!
delete from tellings where person = any (:ids::text[]);

-- name: bury_cases!
update cases set person = null where person = any (:ids::text[]);

-- name: bury_records!
-- Records whose keys were destroyed, or whose person's were; their sections go with them.
delete from records where id = any (:records::text[]) or person = any (:ids::text[]);

-- name: sections_of
-- The sections of records that were sealed anew since, with what opens them.
select s.record, s.category, s.person, s.sealed, r.version, r.slot, p.slot as person_slot
  from sections s join records r on r.id = s.record join persons p on p.id = s.person
 where s.record = any (:records::text[]);

-- name: drop_sections!
-- What was not sealed anew with them was not kept.
delete from sections s using unnest(:records::text[], :categories::text[]) as q(record, category)
 where s.record = q.record and s.category = q.category;

-- name: end_sessions!
-- Nobody is signed in to a restored installation: who was signed out since can't be told.
delete from web_sessions;

-- name: end_codes!
-- Nor does a one-time code of that time open anything.
delete from sign_in_codes;

-- name: settle_outbox!
-- What waited to be sent then was sent or refused since: it is not sent a second time.
update outbox set state = 'uncertain', settled_at = :now, sealed = null, claim = null
 where state in ('waiting', 'claimed', 'handing-over');

-- name: doubt!
-- Consent that may have been withdrawn: no use rests on it until the person chooses again.
update persons p
   set standing = jsonb_set(coalesce(p.standing, '{}'), '{doubt}',
                            coalesce(p.standing -> 'doubt', '[]') || to_jsonb(q.purpose))
  from unnest(:ids::text[], :purposes::text[]) as q(id, purpose)
 where p.id = q.id and not coalesce(p.standing -> 'doubt', '[]') ? q.purpose;

-- name: object!
-- An objection the log holds and the journal lacks.
update persons p
   set standing = jsonb_set(coalesce(p.standing, '{}'), '{objections}',
                            coalesce(p.standing -> 'objections', '[]') || to_jsonb(q.purpose))
  from unnest(:ids::text[], :purposes::text[]) as q(id, purpose)
 where p.id = q.id and not coalesce(p.standing -> 'objections', '[]') ? q.purpose;

-- name: restrict!
-- A restriction the log holds and the journal lacks.
update persons set restricted_at = coalesce(restricted_at, :now) where id = any (:ids::text[]);

-- name: closed_as_children
-- Of these, who is closed already, and not by an earlier restore alone.
select p.id from persons p
 where p.id = any (:ids::text[]) and p.quarantined_at is not null and p.erased_at is null
   and not exists (select from work_items w
                    where w.rule = 'quarantine' and coalesce(w.person, '') = p.id and w.closed_at is null);

-- name: quarantine!
-- Somebody of whom the log says more than the journal: nothing is used until it is cleared up.
update persons set quarantined_at = coalesce(quarantined_at, :now) where id = any (:ids::text[]) and erased_at is null;

-- name: end_asks!
-- Parents who were asked, and of whose question the log says more than the journal: no answer counts any more.
update parent_asks set ended_at = :now, ended_as = 'stopped', address = null, born = null
 where person = any (:ids::text[]) and consent is null and ended_at is null;

-- name: staff_ids
-- Everybody on the staff.
select id from staff;

-- name: set_role!
-- A role as the log says it was set last.
update staff set role = :role, role_until = :role_until, trained_until = :trained_until where id = :id;

-- name: lock_out!
-- Secrets that were replaced since are unknown here: the old ones open nothing.
update staff set password = null, totp = null where id = any (:ids::text[]);

-- name: end_clients!
-- Credentials that were ended or replaced since: the old secrets open nothing.
update clients set until = least(until, :now) where id = any (:ids::text[]);

-- name: newest_policy^
-- The newest version this copy has.
select coalesce(max(ordinal), 0) as ordinal from policies;

-- name: open_work!
-- A work item for what has to be cleared up.
insert into work_items (id, rule, person, missing, opened_at) values (:id, :rule, :person, :missing, :now)
on conflict (rule, coalesce(person, ''), missing) where closed_at is null do nothing;

-- name: sections_to_open
-- Every section of people who are not erased, with what opens it; a page at a time.
select s.record, s.category, s.person, s.sealed, r.version, r.slot, p.slot as person_slot
  from sections s join records r on r.id = s.record join persons p on p.id = s.person
 where (s.record, s.category) > (:record, :category)
 order by s.record, s.category limit :most;

-- name: primary_keys
-- The columns that name a row, of every table under the journal.
select i.indrelid::regclass::name::text as name,
       array(select a.attname::text from pg_attribute a
              where a.attrelid = i.indrelid and a.attnum = any (i.indkey) order by a.attnum) as columns
  from pg_index i
 where i.indisprimary and exists (select from pg_trigger t
                                   where t.tgrelid = i.indrelid and t.tgfoid = 'control_note'::regproc);

-- name: schema_used$
-- Whether anything of ours is in this database already.
select exists (select from pg_class c join pg_namespace s on s.oid = c.relnamespace
                where s.nspname = 'omonat' and c.relkind in ('r', 'p'));

-- name: drop_schema!
drop schema if exists omonat cascade;

-- name: patience!
-- Loading, replaying and comparing take as long as they take.
set local statement_timeout = 0;

-- name: digests
-- The published versions.
select ordinal, digest from policies;

-- name: lost_review!
-- A review of which only the entry is left.
insert into safeguard_reviews (id, about, at, kept, proof, document, by, entry)
values (:id, :about, :at, false, 'lost in a restore', '', :by, :entry);

-- name: place_hold!
-- A hold the log holds and the journal lacks; it waits for its approval from the day it was placed.
insert into holds (id, scope, target, items, authority, may_tell, review_at, placed_at, placed_by, entries)
values (:id, 'person', :person, :items, :authority, :may_tell, :review_at, :at, :by, :entries);

-- name: approve_hold!
-- The second person's word, which the log holds and the journal lacks; nobody is asked for it any more.
with approved as (
    update holds set approved_at = :at, approved_by = :by, entries = entries || :entries
     where id = :id and approved_at is null
    returning id
)
update work_items w set closed_at = :at from approved
 where w.missing = approved.id and w.rule = 'hold-approval' and w.closed_at is null;
