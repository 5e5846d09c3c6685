-- name: person_for_choice^
-- A person's standing, locked until the transaction ends: nothing is decided on it in between (I2).
select id, evidence_slot, told, standing, restricted_at, quarantined_at, erased_at,
       exists (select from guardian_consents g
                where g.person = persons.id and g.scope = 'data' and g.withdrawn_at is null) as guarded
  from persons where id = :id and erased_at is null for no key update;

-- name: set_standing!
-- The standing after a choice.
update persons set standing = :standing, restricted_at = :restricted_at where id = :id;

-- name: add_choice!
-- One choice, never changed afterwards (I7).
insert into choices (id, person, kind, purpose, channel, state, at, version, door, entry, term)
values (:id, :person, :kind, :purpose, :channel, :state, :at, :version, :door, :entry, :term);

-- name: choices_of
-- What a person chose, newest first.
select kind, purpose, channel, state, at, version, door, entry from choices
 where person = :person order by at desc, id limit :most;

-- name: add_telling!
-- A version reached a person.
insert into tellings (person, version, channel, at, entry)
values (:person, :version, :channel, :at, :entry) on conflict do nothing;

-- name: tellings_after
-- Versions this person was told of beyond an ordinal, oldest first.
select distinct version from tellings where person = :person and version > :version order by version;

-- name: set_told!
-- The newest version up to which nothing is missing (P2).
update persons set told = :told where id = :id;
