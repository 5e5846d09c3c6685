-- name: read_for_collect
-- What many collections are decided on: policy in force, client, person, case, and an answer given before to the
-- same key. Reaches only the rows named, by key.
select q.n, i.active_ordinal, cl.secret, cl.source, cl.until,
       p.id, case when p.erased_at is not null then 'erased'
                  when p.quarantined_at is not null then 'quarantined' else '' end,
       p.standing, k.id, k.kind, k.person, k.closed_at is not null, d.request, d.answer
  from unnest(:n::int[], :client::text[], :person::text[], :case_id::text[], :key::bytea[])
       as q(n, client, person, case_id, key)
 cross join installation i
  left join clients cl on cl.id = q.client
  left join cases k on k.id = q.case_id
  left join persons p on p.id = coalesce(q.person, k.person)
  left join idempotency d on d.client = q.client and d.key = q.key;

-- name: lock_persons
-- The people a batch adds to, locked in one order so that batches can't wait for each other in a circle.
select id, slot, evidence_slot, told, standing, erased_at is not null or quarantined_at is not null as closed
  from persons where id = any(:ids::text[]) order by id for no key update;

-- name: insert_persons!
-- New people.
insert into persons (id, slot, evidence_slot, language, told, standing, created_at)
select * from unnest(:id::text[], :slot::bigint[], :evidence_slot::bigint[], :language::text[], :told::int[],
                     :standing::jsonb[], :created_at::timestamptz[]);

-- name: update_standing!
-- New standing of people who were there before.
update persons p set told = greatest(p.told, q.told), standing = q.standing
  from unnest(:id::text[], :told::int[], :standing::jsonb[]) as q(id, told, standing)
 where p.id = q.id;

-- name: bind_cases
-- Opens a case the source system names for the first time, or binds an open one that has nobody yet; what comes back
-- is open and this person's. A case that is missing from the answer is closed or somebody else's.
insert into cases as k (id, kind, service, person, opened_by, opened_at)
select * from unnest(:id::text[], :kind::text[], :service::text[], :person::text[], :client::text[],
                     :opened_at::timestamptz[])
    on conflict (id) do update set person = excluded.person
 where k.closed_at is null and k.kind = excluded.kind and (k.person is null or k.person = excluded.person)
returning k.id;

-- name: insert_records!
-- The records, without their contents.
insert into records (id, person, service, case_id, version, slot, source, collected_at, due_at, due_under)
select * from unnest(:id::text[], :person::text[], :service::text[], :case_id::text[], :version::int[],
                     :slot::bigint[], :source::text[], :collected_at::timestamptz[], :due_at::timestamptz[],
                     :due_under::int[]);

-- name: insert_sections!
-- The sealed sections.
insert into sections (record, category, person, collected_at, sealed)
select * from unnest(:record::text[], :category::text[], :person::text[], :collected_at::timestamptz[],
                     :sealed::bytea[]);

-- name: insert_lookups!
-- The ways to find these people; the newest sight of a channel counts.
insert into lookups as l (person, item, epoch, digest, since)
select * from unnest(:person::text[], :item::text[], :epoch::int[], :digest::bytea[], :since::timestamptz[])
    on conflict (digest, item, person) do update set since = greatest(l.since, excluded.since);

-- name: insert_choices!
-- What was chosen, append-only.
insert into choices (id, person, kind, purpose, channel, state, at, version, door, entry)
select * from unnest(:id::text[], :person::text[], :kind::text[], :purpose::text[], :channel::text[], :state::text[],
                     :at::timestamptz[], :version::int[], :door::text[], :entry::text[]);

-- name: insert_answers!
-- What was answered to a key, so that saying it again does nothing twice.
insert into idempotency (client, key, request, answer, at)
select * from unnest(:client::text[], :key::bytea[], :request::bytea[], :answer::jsonb[], :at::timestamptz[]);
