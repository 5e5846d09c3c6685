-- name: write!
-- Entries and their ledger rows in one statement, so that a batch costs one round trip and one flush.
with moment as (select pg_current_xact_id()::text::bigint as txid),
written as (
    insert into entries (txid, id, at, act, body, leaf)
    select moment.txid, e.* from moment,
        unnest(:ids::text[], :times::timestamptz[], :acts::text[], :bodies::bytea[], :leaves::bytea[]) as e
)
insert into ledger (person, at, entry, txid)
select l.person, l.at, l.entry, moment.txid from moment,
    unnest(:persons::text[], :ledger_times::timestamptz[], :ledger_entries::text[]) as l(person, at, entry);

-- name: is_published$
-- Whether an entry lies under a signed checkpoint; null while it has no place.
select p.index < (select published from evidence_log) from placements p where p.entry = :entry;
