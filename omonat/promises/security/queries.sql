-- name: last_drill^
-- The newest drill that passed, and when the installation was made.
select i.created_at as since, (select max(d.at) from drills d where d.passed) as passed_at from installation i;

-- name: add_drill!
-- A drill and what it found.
insert into drills (id, at, backup, passed, report, entry)
values (:id, :at, :backup, :passed, :report, :entry);

-- name: last_reviews
-- The newest review of each of these, as far as there is one, with its entry: null where the log has none.
select r.about, r.at, r.kept, r.proof, r.document, r.by, r.entry, e.body
  from unnest(cast(:abouts as text[])) wanted (about)
 cross join lateral (
    select * from safeguard_reviews where about = wanted.about order by number desc limit 1
 ) r
  left join entries e on e.id = r.entry and e.act like 'safeguard:%';

-- name: add_review!
-- A review and what it found.
insert into safeguard_reviews (id, about, at, kept, proof, document, by, entry)
values (:id, :about, :at, :kept, :proof, :document, :by, :entry);

-- name: places
-- The hosts and rooms in use.
select kind, name, room from places where ended_at is null order by kind desc, name;

-- name: add_place$
-- A place comes into the register; null when one of this name is in use.
insert into places (id, kind, name, room, added_at, entries)
values (:id, :kind, :name, :room, :now, :entries)
on conflict (kind, name) where ended_at is null do nothing
returning id;

-- name: place_for_update^
-- A place in use, locked: nobody ends a room while a host is put into it.
select id, kind, name, room, entries from places where kind = :kind and name = :name and ended_at is null for update;

-- name: hosts_in
-- The hosts in use that stand in a room.
select name from places where kind = 'host' and room = :room and ended_at is null order by name;

-- name: end_place!
-- It holds personal data no more.
update places set ended_at = :now, entries = :entries where id = :id;
