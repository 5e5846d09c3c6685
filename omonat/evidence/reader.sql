-- name: placed^
-- An entry that has its place, by id.
select p.index, e.body, e.leaf from placements p
left join entries e on e.txid = p.txid and e.id = p.entry
where p.entry = :id;

-- name: waiting^
-- An entry that has none yet: only what came after the sequencer's last look is searched.
select null::bigint as index, e.body, e.leaf from entries e
where e.id = :id and (
    e.txid >= coalesce((select pg_snapshot_xmax(seen)::text::bigint from evidence_log), 0)
    or e.txid = any (array(select pg_snapshot_xip(seen)::text::bigint from evidence_log)));

-- name: of_person
-- Who looked, newest first: a page of a person's entries before a given one.
select l.at, l.entry, e.body, e.leaf from ledger l
left join entries e on e.txid = l.txid and e.id = l.entry
where l.person = :person and (l.at, l.entry) < (:before_at, :before_entry)
order by l.at desc, l.entry desc limit :most;
