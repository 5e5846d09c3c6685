-- The sweeper asks every round since when the oldest erasure waits for the end of its look-up key: found at once, however
-- many wait for it. Promise R3.
create index erasures_waiting on erasures (swept_at) where swept_at is not null and final_at is null;
