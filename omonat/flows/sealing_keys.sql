-- name: sealing_keys
-- Every key that forms were ever sealed to, oldest first.
select number, public, begun_at, ended_at, entries from sealing_keys order by number;

-- name: begin_sealing_key$
-- A key that is in the vault now; nothing comes back when another process noted it first.
insert into sealing_keys (number, public, begun_at, entries) values (:number, :public, :now, :entries)
on conflict (number) do nothing returning number;

-- name: end_sealing_key$
-- A key that is destroyed; nothing comes back when it was noted before.
update sealing_keys set ended_at = :now, entries = entries || :entries
 where number = :number and ended_at is null returning number;
