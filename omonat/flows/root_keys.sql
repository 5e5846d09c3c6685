-- name: rotated$
-- Notes a rotation; true for the first to note it.
insert into root_rotations (epoch, entry, at) values (:epoch, :entry, :at)
on conflict (epoch) do nothing returning true;

-- name: unsealed$
-- Notes an unsealing; true for the first to note it.
insert into unsealings (entry, at) values (:entry, :at)
on conflict (entry) do nothing returning true;
