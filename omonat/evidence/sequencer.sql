-- name: state^
-- How far the log has come.
select origin, seen::text as seen, cluster, placed, published, root, marked from evidence_log;

-- name: snapshot^
-- What this transaction sees, and the server it sees it on.
select pg_current_snapshot()::text as seen, pg_snapshot_xmax(pg_current_snapshot())::text::bigint as ahead,
    (select system_identifier::text from pg_control_system()) as cluster;

-- name: begin_log!
-- The first row, made by whoever opens the log first. Nothing is seen yet.
insert into evidence_log (origin, seen, cluster, placed, published, root, marked)
values (:origin, '1:1:', :cluster, 0, 0, :root, '-infinity') on conflict do nothing;

-- name: border$
-- The transaction at which a round ends when more waits than it takes; nothing when it takes all. An index is read alone.
select txid from entries where txid >= :unseen and txid < :ahead order by txid offset :most limit 1;

-- name: fresh
-- Entries that came to be visible since a snapshot: those of the transactions running then, and of all that began later,
-- up to a border. Two ranges of one index and one look-up per row: the cost follows what is taken.
select e.txid, e.id, e.at from (
    select txid, id, at from entries where txid = any (:running::bigint[])
    union all
    select txid, id, at from entries where txid >= :unseen and txid < :until
) e
left join lateral (select true as placed from placements p where p.entry = e.id limit 1) known on true
where known.placed is null
order by e.at, e.id;

-- name: unplaced
-- The same by comparing everything: after a restore on another server, whose transaction numbers mean nothing here.
select e.txid, e.id, e.at from entries e
where not exists (select from placements p where p.entry = e.id)
order by e.at, e.id
limit :most;

-- name: place!
-- Gives entries their indexes.
insert into placements (index, entry, txid)
select * from unnest(:indexes::bigint[], :entries::text[], :txids::bigint[]);

-- name: placed!
-- Notes what has its place now.
update evidence_log set seen = :seen::text::pg_snapshot, cluster = :cluster, placed = :placed, marked = :marked;

-- name: to_publish
-- Entries in index order, with their bytes; one look-up each, so a round's cost doesn't grow with the log.
select p.index, p.entry, e.body, e.leaf from placements p
left join lateral (select body, leaf from entries where txid = p.txid and id = p.entry limit 1) e on true
where p.index >= :start and p.index < :until order by p.index;

-- name: published!
-- Notes what is under a checkpoint, if nobody noted it otherwise.
update evidence_log set published = :size, root = :root where published = :before and placed >= :size;

-- name: own_txid$
-- This transaction's number.
select pg_current_xact_id()::text::bigint;
