-- name: person_to_tell^
-- How far a person was told, locked until the transaction ends.
select id, evidence_slot, told from persons where id = :id and erased_at is null for no key update;

-- name: add_choice!
-- One choice, never changed afterwards (I7).
insert into choices (id, person, kind, purpose, channel, state, at, version, door, entry, term)
values (:id, :person, :kind, :purpose, :channel, :state, :at, :version, :door, :entry, :term);

-- name: choices_of
-- What a person chose, newest first.
select id, kind, purpose, channel, state, at, version, door, entry from choices
 where person = :person order by at desc, id limit :most;

-- name: consents_about
-- A choice by its id, after all earlier ones of that person about the same purpose; newest first. Nothing for one that
-- isn't a consent, or is somebody else's where a person is named.
select c.id, c.person, c.purpose, c.state, c.at, c.version, c.door, c.entry, c.term, p.evidence_slot
  from choices this
  join persons p on p.id = this.person and p.erased_at is null
  join choices c on c.person = this.person and c.kind = 'consent' and c.purpose = this.purpose
   and (c.at, c.id) <= (this.at, this.id)
 where this.id = :choice and this.kind = 'consent' and (:person::text is null or this.person = :person)
 order by c.at desc, c.id desc limit :most;

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

-- name: consents_for
-- What a person said about one purpose that needs their consent, newest first.
select c.id, c.person, c.purpose, c.state, c.at, c.version, c.door, c.entry, c.term, p.evidence_slot
  from choices c
  join persons p on p.id = c.person and p.erased_at is null
 where c.person = :person and c.kind = 'consent' and c.purpose = :purpose
 order by c.at desc, c.id desc limit :most;
