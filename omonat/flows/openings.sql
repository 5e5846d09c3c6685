-- name: entries_of
-- All entries of a person's ledger with their bytes, oldest first.
select l.entry, l.at, e.act, e.body, e.leaf from ledger l
left join entries e on e.txid = l.txid and e.id = l.entry
where l.person = :person order by l.at, l.entry;

-- name: values_of
-- What commitments about a person may hold beside their id: their cases, newest first, alone and with the id.
select v.value from cases k
cross join lateral (values (k.person || ' ' || k.id), (k.id)) as v(value)
where k.person = :person order by k.opened_at desc, k.id, length(v.value) desc;
