-- name: claim_due
-- Records whose index says that something of them is due, the longest overdue first; two sweepers never get the same
-- one. Those of somebody whose erasure is under way are that erasure's business.
select r.id, r.person, r.service, r.case_id, r.version, r.slot, r.collected_at, r.anchors
  from records r join persons p on p.id = r.person
 where r.due_at <= :now and (p.erased_at is null or p.remains)
 order by r.due_at
 limit :most
   for update of r skip locked;

-- name: record_for_erasure^
-- One record, locked until the transaction ends.
select id, person, service, case_id, version, slot, collected_at, anchors from records where id = :id for update;

-- name: records_with
-- A person's records with sections of these categories, locked until the transaction ends.
select r.id, r.person, r.service, r.case_id, r.version, r.slot, r.collected_at, r.anchors
  from records r
 where r.person = :person
   and exists (select from sections s where s.record = r.id and s.category = any(:categories::text[]))
 order by r.id
   for update of r;

-- name: records_after
-- A person's records in the order of their ids, a batch at a time, without those of services that never leave anything;
-- locked until the transaction ends.
select id, person, service, case_id, version, slot, collected_at, anchors
  from records
 where person = :person and id > :after and service <> all(:free::text[])
 order by id
 limit :most
   for update;

-- name: records_of_person
-- All of a person's records, for a plan that changes nothing.
select id, person, service, case_id, version, slot, collected_at, anchors from records where person = :person;

-- name: record_to_plan^
-- One record, for a plan that changes nothing.
select id, person, service, case_id, version, slot, collected_at, anchors from records where id = :id;

-- name: persons_standing
-- The people of a batch, kept as they are until the transaction ends; who is being changed just now is left out.
select id, slot, evidence_slot, standing, restricted_at, quarantined_at, erased_at, remains
  from persons where id = any(:ids::text[]) and (erased_at is null or remains)
 order by id for share skip locked;

-- name: person_for_erasure^
-- A person, locked until the transaction ends.
select id, slot, evidence_slot, language, standing, quarantined_at, erased_at, remains
  from persons where id = :id for update;

-- name: person_to_plan^
-- A person, for a plan that changes nothing.
select id, slot, evidence_slot, language, standing, erased_at, remains from persons where id = :id;

-- name: cases_standing
-- The cases of a batch, kept as they are until the transaction ends; one that is being changed just now is left out.
select id, opened_at, closed_at, anchors from cases where id = any(:ids::text[]) order by id for share skip locked;

-- name: cases_to_plan
-- Cases by id.
select id, opened_at, closed_at, anchors from cases where id = any(:ids::text[]);

-- name: sections_of
-- The sections of these records.
select record, category, sealed from sections where record = any(:records::text[]) order by record, category;

-- name: categories_of
-- Which sections these records have, without what is sealed in them.
select record, category from sections where record = any(:records::text[]) order by record, category;

-- name: holds_on
-- Live holds on any of these people, cases and records; one that nobody approved lapses.
select id, target, items, review_at, may_tell from holds
 where target = any(:targets::text[]) and released_at is null;

-- name: is_held$
-- Whether any live hold concerns this person; there are few holds.
select exists (
    select from holds h
     where h.released_at is null
       and :person in (h.target, (select r.person from records r where r.id = h.target),
                       (select k.person from cases k where k.id = h.target)));

-- name: drop_records!
-- Records that nothing keeps, with their sections.
delete from records where id = any(:ids::text[]);

-- name: drop_sections!
-- Sections that nothing keeps.
delete from sections s using unnest(:record::text[], :category::text[]) as q(record, category)
 where s.record = q.record and s.category = q.category;

-- name: reseal_sections!
-- What stays, under its new key.
update sections s set sealed = q.sealed
  from unnest(:record::text[], :category::text[], :sealed::bytea[]) as q(record, category, sealed)
 where s.record = q.record and s.category = q.category;

-- name: move_records!
-- Records with the slot their sections now lie under, their own anchors, and when to look at them again.
update records r
   set slot = q.slot, anchors = q.anchors, due_at = q.due_at, due_under = q.due_under,
       kept_by = coalesce(q.kept_by, r.kept_by)
  from unnest(:id::text[], :slot::bigint[], :anchors::jsonb[], :due_at::timestamptz[], :due_under::int[],
              :kept_by::text[]) as q(id, slot, anchors, due_at, due_under, kept_by)
 where r.id = q.id;

-- name: lookups_of
-- How these people are found by these items.
select person, item, epoch, digest from lookups where person = any(:persons::text[]) and item = any(:items::text[]);

-- name: sections_holding
-- The newest sections that may hold a person's channel still; of people who have one of these categories left.
select q.person, q.category, s.record, s.sealed, r.slot, r.version
  from unnest(:person::text[], :category::text[]) as q(person, category)
 cross join lateral (
        select s.record, s.sealed from sections s
         where s.person = q.person and s.category = q.category
         order by s.collected_at desc
         limit :most offset :skip) s
  join records r on r.id = s.record;

-- name: lookups_after
-- Ways to be found in the order of their people, a batch at a time, those under older keys first.
select person, item, epoch, digest, since, verified_at from lookups
 where person > :after order by person, epoch limit :most;

-- name: renew_lookups!
-- The same channels under the new key.
insert into lookups as l (person, item, epoch, digest, since, verified_at)
select * from unnest(:person::text[], :item::text[], :epoch::int[], :digest::bytea[], :since::timestamptz[],
                     :verified_at::timestamptz[])
    on conflict (digest, item, person) do update
       set since = greatest(l.since, excluded.since), verified_at = greatest(l.verified_at, excluded.verified_at);

-- name: rotation^
-- Where the change of the look-up key stands.
select lookups_since, lookups_after, lookups_left from retention_state for update;

-- name: begin_rotation!
-- The look-up key is being changed, since now; the time of one that began before stays.
update retention_state set lookups_since = :now, lookups_after = '', lookups_left = true where lookups_since is null;

-- name: move_rotation!
-- So far it has come, and whether this pass found anything under an older key.
update retention_state set lookups_after = :after, lookups_left = :left;

-- name: end_rotation!
-- The older keys are destroyed.
update retention_state set lookups_since = null, lookups_after = '', lookups_left = true;

-- name: drop_lookups!
-- Ways to be found that no living record holds any more.
delete from lookups l using unnest(:person::text[], :item::text[], :digest::bytea[]) as q(person, item, digest)
 where l.digest = q.digest and l.item = q.item and l.person = q.person;

-- name: hold_traders!
-- Clients that are one of these people, held before the people are: whoever settles a client holds it first as well.
select id from business_clients where trader = any(:ids::text[]) order by id for update;

-- name: emptied
-- Of these people, those of whom nothing is held any more and whom no open case and no hold needs. They are waited for,
-- until nobody writes to them, or something about them, any more.
select p.id, p.slot, p.remains, p.erased_at
  from persons p
 where p.id = any(:ids::text[])
   and not exists (select from records r where r.person = p.id)
   and not exists (select from cases k where k.person = p.id and k.closed_at is null)
   and (p.remains or (p.restricted_at is null and p.quarantined_at is null))
   and not exists (select from holds h where h.target = p.id and h.released_at is null)
 order by p.id for update of p;

-- name: end_persons!
-- People of whom nothing is held any more: from now on only their evidence and their choices are there, for a while.
update persons
   set erased_at = coalesce(erased_at, :now), remains = false, standing = null,
       evidence_due_at = coalesce(evidence_due_at, :evidence_due)
 where id = any(:ids::text[]);

-- name: sweep_people!
-- What hangs on people of whom nothing is held any more: messages, notices, what they were to a business client, web
-- sessions, ways to be found, codes, the index of who looked with its marks, open work, and their tie to cases.
with codes as (
    delete from sign_in_codes where digest in (select digest from lookups where person = any(:ids::text[]))
), found as (
    delete from lookups where person = any(:ids::text[])
), messages as (
    delete from outbox where person = any(:ids::text[])
), notices as (
    delete from notices where person = any(:ids::text[])
), service_notices as (
    delete from service_notices where person = any(:ids::text[])
), given as (
    delete from client_notices where person = any(:ids::text[])
), contacts as (
    delete from business_contacts where person = any(:ids::text[])
), traders as (
    delete from business_clients where trader = any(:ids::text[])
), sessions as (
    delete from web_sessions where holder = any(:ids::text[])
), looked as (
    delete from ledger where person = any(:ids::text[]) returning entry
), marks as (
    delete from rows_gone where entry = any(array(select entry from looked))
), asked as (
    delete from parent_asks where person = any(:ids::text[])
), paid as (
    delete from parent_payments where person = any(:ids::text[])
), work as (
    delete from work_items where person = any(:ids::text[])
), righted as (
    update requests set about = null where about = any(:ids::text[])
), asked_about as (
    delete from confirmations where person = any(:ids::text[])
), to_tell as (
    delete from corrections_to_tell where person = any(:ids::text[])
)
update cases set person = null where person = any(:ids::text[]);

-- name: claim_evidence_due
-- Erased people whose evidence has come to its own end.
select id, evidence_slot from persons
 where evidence_due_at <= :now and not remains and erased_at is not null
 order by evidence_due_at
 limit :most
   for update skip locked;

-- name: forget_people!
-- The last of somebody: their choices and tellings go with the row, and what was noted since their ledger ended.
with told as (
    update system_notices n set about = '{}' from erasures e where n.erasure = e.id and e.person = any(:ids::text[])
), named as (
    update erasures set person = null, record = null where person = any(:ids::text[])
), looked as (
    delete from ledger where person = any(:ids::text[]) returning entry
), marks as (
    delete from rows_gone where entry = any(array(select entry from looked))
)
delete from persons where id = any(:ids::text[]);

-- name: quarantined
-- Children who were found and for whom no consent came yet, the earliest first (K2); since when that is waited for. Not
-- those whom a restore closed because it knew too little of them, unless they were found to be children as well.
select p.id, p.quarantined_at,
       case when q.since is null then p.quarantined_at else greatest(p.quarantined_at, c.opened_at) end as since
  from persons p
  left join lateral (select min(w.opened_at) as since from work_items w
                      where w.rule = 'quarantine' and coalesce(w.person, '') = p.id and w.closed_at is null) q on true
  left join work_items c on c.rule = 'child' and coalesce(c.person, '') = p.id and c.missing = 'parental-consent'
                        and c.closed_at is null
 where p.quarantined_at <= :now and p.erased_at is null and (q.since is null or c.id is not null)
 order by p.quarantined_at limit :most;

-- name: state^
-- The sweeper's memory; made at its first look.
with made as (
    insert into retention_state (seen) values (:now) on conflict do nothing
    returning seen, doubted_at, reckoned_under
)
select seen, doubted_at, reckoned_under, clock_timestamp() as database from made
 union all
select seen, doubted_at, reckoned_under, clock_timestamp() from retention_state limit 1;

-- name: believe!
-- The time is believed.
update retention_state set seen = greatest(seen, :now), doubted_at = null
 where seen < :now::timestamptz - interval '1 second' or doubted_at is not null;

-- name: doubt$
-- The time is not believed, since now; null when it wasn't before either.
update retention_state set doubted_at = :now where doubted_at is null returning doubted_at;

-- name: confirm_clock!
-- A person says that the time is right.
insert into retention_state as s (seen) values (:now)
    on conflict (single) do update set seen = excluded.seen, doubted_at = null;

-- name: doubted$
-- Since when the time isn't believed; null when it is.
select doubted_at from retention_state;

-- name: begin_reckoning$
-- Notes that the index is made under another policy from now on, and says which it was made under before; null when that
-- is noted already.
with was as (select reckoned_under from retention_state for update)
update retention_state s set reckoned_under = :ordinal from was where s.reckoned_under <> :ordinal
returning was.reckoned_under;

-- name: add_reckonings!
-- Cases, people or a policy whose records are to be reckoned anew.
insert into reckonings (id, scope, target, at)
select * from unnest(:id::text[], :scope::text[], :target::text[], :at::timestamptz[]);

-- name: claim_reckoning^
-- The oldest of what is to be reckoned anew; two sweepers never get the same one.
select id, scope, target, after from reckonings order by at limit 1 for update skip locked;

-- name: move_reckoning!
-- So far it has come.
update reckonings set after = :after where id = :id;

-- name: end_reckoning!
-- It is done.
delete from reckonings where id = :id;

-- name: to_reckon_of_case
-- The records of a case, a batch at a time.
select r.id, r.service, r.collected_at, r.anchors, r.due_at, r.due_under,
       k.opened_at, k.closed_at, k.anchors as case_anchors, p.standing
  from records r join persons p on p.id = r.person join cases k on k.id = r.case_id
 where r.case_id = :target and r.id > :after order by r.id limit :most for update of r;

-- name: to_reckon_of_person
-- The records of a person, a batch at a time.
select r.id, r.service, r.collected_at, r.anchors, r.due_at, r.due_under,
       k.opened_at, k.closed_at, k.anchors as case_anchors, p.standing
  from records r join persons p on p.id = r.person left join cases k on k.id = r.case_id
 where r.person = :target and r.id > :after order by r.id limit :most for update of r;

-- name: last_of_batch$
-- The last of so many records in the order of their ids; null when there aren't so many left.
select id from records where id > :after order by id offset :most - 1 limit 1;

-- name: to_reckon
-- Records after one and up to another (null: to the end) that are not of the services for which nothing changed.
select r.id, r.service, r.collected_at, r.anchors, r.due_at, r.due_under,
       k.opened_at, k.closed_at, k.anchors as case_anchors, p.standing
  from records r join persons p on p.id = r.person left join cases k on k.id = r.case_id
 where r.id > :after and (:until::text is null or r.id <= :until) and r.service <> all(:unchanged::text[])
 order by r.id for update of r;

-- name: set_due!
-- The index of records reckoned anew.
update records r set due_at = q.due_at, due_under = q.due_under
  from unnest(:id::text[], :due_at::timestamptz[], :due_under::int[]) as q(id, due_at, due_under)
 where r.id = q.id;

-- name: policy_in_force$
-- The ordinal in force, and it stays in force until the transaction ends: nothing is destroyed under an older one.
select active_ordinal from installation for share;

-- name: set_aside!
-- A record that can't be judged now: look again later.
update records set due_at = :due_at where id = :id;

-- name: renew_slots!
-- Records whose sections lie under a new slot, and nothing else of them changed.
update records r set slot = q.slot from unnest(:id::text[], :slot::bigint[]) as q(id, slot) where r.id = q.id;
