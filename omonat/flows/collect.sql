-- name: read_for_collect
-- What many collections are decided on: policy in force, client, person, case, and an answer given before to the
-- same key. Reaches only the rows named, by key.
select q.n, i.active_ordinal, cl.secret, cl.source, cl.roles, cl.until,
       p.id, case when p.erased_at is not null then 'erased'
                  when p.quarantined_at is not null then 'quarantined' else '' end,
       p.standing, k.id, k.kind, k.person, k.closed_at is not null, k.opened_at, d.request, d.answer,
       p.slot, p.images_closed,
       (select jsonb_object_agg(g.scope, g.method) from guardian_consents g
         where g.person = p.id and g.withdrawn_at is null)
  from unnest(:n::int[], :client::text[], :person::text[], :case_id::text[], :key::bytea[])
       as q(n, client, person, case_id, key)
 cross join installation i
  left join clients cl on cl.id = q.client
  left join cases k on k.id = q.case_id
  left join persons p on p.id = coalesce(q.person, k.person)
  left join idempotency d on d.client = q.client and d.key = q.key;

-- name: lock_persons
-- The people a batch adds to, locked in one order so that batches can't wait for each other in a circle.
select p.id, p.slot, p.evidence_slot, p.told, p.standing,
       p.erased_at is not null or p.quarantined_at is not null as closed,
       array(select t.version from tellings t where t.person = p.id and t.version > p.told) as heard
  from persons p where p.id = any(:ids::text[]) order by p.id for no key update of p;

-- name: update_standing!
-- New standing of people who were there before.
update persons p set told = greatest(p.told, q.told), standing = q.standing
  from unnest(:id::text[], :told::int[], :standing::jsonb[]) as q(id, told, standing)
 where p.id = q.id;

-- name: take_in$
-- All that a batch of collections writes, in one round trip: new people, cases, records, sections, ways to be found,
-- choices. Cases come back counted: one that a source system names for the first time is opened, an open one that has
-- nobody yet is bound; one that isn't counted is closed or somebody else's, and then nothing of this may stay.
with new_persons as (
    insert into persons (id, slot, evidence_slot, language, told, standing, created_at)
    select * from unnest(:persons_id::text[], :persons_slot::bigint[], :persons_evidence_slot::bigint[],
                         :persons_language::text[], :persons_told::int[], :persons_standing::jsonb[],
                         :persons_created_at::timestamptz[])
), bound as (
    insert into cases as k (id, kind, service, person, opened_by, opened_at, entry)
    select * from unnest(:cases_id::text[], :cases_kind::text[], :cases_service::text[], :cases_person::text[],
                         :cases_opened_by::text[], :cases_opened_at::timestamptz[], :cases_entry::text[])
        on conflict (id) do update set person = excluded.person
     where k.closed_at is null and k.kind = excluded.kind and (k.person is null or k.person = excluded.person)
    returning k.id
), new_records as (
    insert into records (id, person, service, case_id, version, slot, source, collected_at, due_at, due_under)
    select * from unnest(:records_id::text[], :records_person::text[], :records_service::text[],
                         :records_case_id::text[], :records_version::int[], :records_slot::bigint[],
                         :records_source::text[], :records_collected_at::timestamptz[],
                         :records_due_at::timestamptz[], :records_due_under::int[])
), new_sections as (
    insert into sections (record, category, person, collected_at, sealed)
    select * from unnest(:sections_record::text[], :sections_category::text[], :sections_person::text[],
                         :sections_collected_at::timestamptz[], :sections_sealed::bytea[])
), new_lookups as (  -- the newest sight of a channel counts
    insert into lookups as l (person, item, epoch, digest, since)
    select * from unnest(:lookups_person::text[], :lookups_item::text[], :lookups_epoch::int[],
                         :lookups_digest::bytea[], :lookups_since::timestamptz[])
        on conflict (digest, item, person) do update set since = greatest(l.since, excluded.since)
), new_choices as (
    insert into choices (id, person, kind, purpose, channel, state, at, version, door, entry)
    select * from unnest(:choices_id::text[], :choices_person::text[], :choices_kind::text[],
                         :choices_purpose::text[], :choices_channel::text[], :choices_state::text[],
                         :choices_at::timestamptz[], :choices_version::int[], :choices_door::text[],
                         :choices_entry::text[])
), ageing as (  -- when to ask whether it is still right; what was asked for before comes no later
    insert into confirmations as c (person, due_at)
    select * from unnest(:confirmations_person::text[], :confirmations_due_at::timestamptz[])
        on conflict (person) do update set due_at = least(c.due_at, excluded.due_at)
)
select count(*) from bound;

-- name: insert_answers!
-- What was answered to a key, so that saying it again does nothing twice.
insert into idempotency (client, key, request, answer, at)
select * from unnest(:client::text[], :key::bytea[], :request::bytea[], :answer::jsonb[], :at::timestamptz[]);

-- name: newest_choices
-- When people last gave or took back a consent: a form that was filled in before changes nothing of it. Only for forms
-- that come later than they were filled in.
select distinct on (person, purpose) person, purpose, at from choices
 where person = any(:ids::text[]) and kind = 'consent' order by person, purpose, at desc;

-- name: insert_sealed_forms!
-- Forms that are taken in with this very transaction.
insert into sealed_forms (id, device, digest, entry, taken_at, kept_until)
select q.id, q.device, q.digest, q.entry, :now, q.kept_until
  from unnest(:id::text[], :device::text[], :digest::bytea[], :entry::text[], :kept_until::timestamptz[])
       as q(id, device, digest, entry, kept_until);
