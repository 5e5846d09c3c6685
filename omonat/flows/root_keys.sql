-- name: rotated$
-- Notes a rotation; true for the first to note it.
insert into root_rotations (epoch, entry, at) values (:epoch, :entry, :at)
on conflict (epoch) do nothing returning true;
