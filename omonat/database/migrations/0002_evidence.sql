-- Evidence: what was done, in the order it is proved in. Promises A1, S6; design: No evidence, no data.

-- Every act, once. Writers touch only the right edge of one index; nothing here needs a counter they would queue on.
create table entries (
    -- The writing transaction. Committed order can't be told from an identity column (a later number may commit first);
    -- from transaction numbers and snapshots it can, exactly.
    txid bigint      not null default (pg_current_xact_id()::text::bigint),
    id   text        not null,
    at   timestamptz not null,
    act  text        not null,
    body bytea       not null check (octet_length(body) <= 65535),
    leaf bytea       not null check (octet_length(leaf) = 32),
    primary key (txid, id)
);
alter table entries alter column body set statistics 0;
alter table entries alter column leaf set statistics 0;
comment on table entries is 'Evidence entries as canonical bytes. Append-only. No personal data: commitments and pseudonyms only.';

-- Where the sequencer put an entry: dense from 0, for ever.
create table placements (
    index bigint primary key check (index >= 0),
    entry text   not null unique,
    txid  bigint not null
);
comment on table placements is 'Entry to log index. Append-only. No personal data.';

-- Whom an entry concerns: the person's "who looked, why, when". Lives and dies apart from the log.
create table ledger (
    person text        not null,
    at     timestamptz not null,
    entry  text        not null,
    txid   bigint      not null,
    due_at timestamptz
);
create index ledger_by_person on ledger (person, at desc, entry desc);
create index ledger_by_due on ledger (due_at) where due_at is not null;
comment on table ledger is 'Person to evidence entries. Personal data: erased with the person or when due.';

-- How far the log has come; changed only by the holder of the lease `evidence-sequencer`.
create table evidence_log (
    single    boolean     primary key default true check (single),
    origin    text        not null,
    -- Entries visible in this snapshot have their place; what is not is still to come.
    seen      pg_snapshot not null,
    -- The server `seen` belongs to: transaction numbers of another one mean nothing here.
    cluster   text        not null,
    placed    bigint      not null check (placed >= 0),
    published bigint      not null check (published between 0 and placed),
    root      bytea       not null check (octet_length(root) = 32),
    marked    timestamptz not null
);
comment on table evidence_log is 'One row: the sequencer''s state. No personal data.';

-- Stops every ordinary statement, also one of ours written by mistake. It doesn't stop the table's owner, who may drop
-- the trigger: against him stand the signed checkpoints, the receipts and whoever keeps copies of them.
create function evidence_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'evidence is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger append_only before update or delete or truncate on entries
    for each statement execute function evidence_is_append_only();
create trigger append_only before update or delete or truncate on placements
    for each statement execute function evidence_is_append_only();
create trigger never_gone before delete or truncate on evidence_log
    for each statement execute function evidence_is_append_only();
