-- Rows and entries account for each other. Promises A1, S4, S6.

-- A record shares its name with its entry (rec_x, ev_x); choices and tellings name theirs already; now cases do.
alter table cases add column entry text;

-- What came before this is not judged: it was written when rows and entries didn't account for each other yet.
create table reconciling (
    single boolean     primary key default true check (single),
    since  timestamptz not null
);
insert into reconciling (since) select case when exists (select from records) then now() else '-infinity' end;
create trigger append_only before update or delete or truncate on reconciling
    for each statement execute function evidence_is_append_only();
comment on table reconciling is 'One row: rows and entries of later must account for each other. No personal data.';

-- A row that is gone: the entry it belonged to, and the transaction that took it, in which an entry must say so.
-- Lives as long as the person's ledger: what is left after an erasure may not tie one person's entries together.
create table rows_gone (
    entry text   not null,
    kind  text   not null,
    txid  bigint not null default (pg_current_xact_id()::text::bigint)
);
create index rows_gone_by_entry on rows_gone (entry);
comment on table rows_gone is 'Entries whose rows are gone. Deleted with the person''s ledger.';

create function note_rows_gone() returns trigger language plpgsql as $$
begin
    case tg_table_name
        when 'records' then insert into rows_gone (entry, kind) select 'ev' || substr(id, 4), 'record' from gone;
        when 'choices' then insert into rows_gone (entry, kind) select distinct entry, 'choice' from gone;
        when 'tellings' then insert into rows_gone (entry, kind) select entry, 'telling' from gone;
        when 'cases' then insert into rows_gone (entry, kind) select entry, 'case' from gone where entry is not null;
    end case;
    return null;
end
$$;
create trigger rows_gone after delete on records referencing old table as gone
    for each statement execute function note_rows_gone();
create trigger rows_gone after delete on choices referencing old table as gone
    for each statement execute function note_rows_gone();
create trigger rows_gone after delete on tellings referencing old table as gone
    for each statement execute function note_rows_gone();
create trigger rows_gone after delete on cases referencing old table as gone
    for each statement execute function note_rows_gone();

-- Proof outlives the person: what the company must be able to show, sealed under a key of its own and for a time of its
-- own. `handle` is a keyed digest of the person's id: whoever brings the id (it stands on the certificate) finds it.
create table proof_packets (
    id         text primary key,
    handle     bytea       not null,
    class      text        not null,
    slot       bigint      not null unique,
    sealed     bytea       not null,
    created_at timestamptz not null,
    due_at     timestamptz not null,
    ended      text                                 -- the entry that says it ends; then its key goes, then the row
);
create index proof_packets_by_handle on proof_packets (handle);
create index proof_packets_by_due on proof_packets (due_at);
alter table proof_packets alter column sealed set statistics 0;
comment on table proof_packets is 'Openings of evidence commitments of erased people, sealed. Ends at due_at, with its key.';
