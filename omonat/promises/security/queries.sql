-- name: last_drill^
-- The newest drill that passed, and when the installation was made.
select i.created_at as since, (select max(d.at) from drills d where d.passed) as passed_at from installation i;

-- name: add_drill!
-- A drill and what it found.
insert into drills (id, at, backup, passed, report, entry)
values (:id, :at, :backup, :passed, :report, :entry);
