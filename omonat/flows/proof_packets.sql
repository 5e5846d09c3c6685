-- name: add_packet!
-- One sealed packet.
insert into proof_packets (id, handle, class, slot, sealed, created_at, due_at)
values (:id, :handle, :kind, :slot, :sealed, :now, :due_at);

-- name: packets_of
-- The packets of a person who is gone, by the digest of their id; none that is ending.
select id, class, slot, sealed, due_at from proof_packets
 where handle = :handle and ended is null order by class, id;

-- name: end_due
-- Packets whose time is over: the entry that ends them is noted first.
update proof_packets set ended = :entry
 where id = any (array(select id from proof_packets
                        where due_at <= :now and ended is null order by due_at limit :most for update skip locked))
returning id;

-- name: ending
-- Packets whose end was written down: their keys go, then they.
select id, slot from proof_packets where due_at <= :now and ended is not null order by due_at limit :most;

-- name: drop_packets!
-- Their keys are destroyed.
delete from proof_packets where id = any (:ids::text[]);
