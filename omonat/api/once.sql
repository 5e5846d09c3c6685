-- name: claim^
-- Takes a key for one request, or what stands under it: whoever inserts carries the work out. A claim whose holder has
-- been silent for a minute may be taken over by the same request.
insert into idempotency as i (client, key, request, answer, at)
values (:client, :key, :request, '{"pending": true}', :now)
on conflict (client, key) do update set at = excluded.at
 where i.request = excluded.request and i.answer ? 'pending' and i.at < :stale
returning true as mine;

-- name: kept^
-- What stands under a key.
select request, answer, sealed from idempotency where client = :client and key = :key;

-- name: keep$
-- The answer, so that saying it again does nothing twice; true unless one was kept before, or the claim is gone.
update idempotency set answer = '{}', sealed = :sealed
 where client = :client and key = :key and answer ? 'pending'
returning true;

-- name: release!
-- The work failed: the key is free again.
delete from idempotency where client = :client and key = :key and answer ? 'pending';
