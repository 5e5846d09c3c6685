-- Who looked stands as it was written, and what is left after an erasure ties nothing together. Promises A1, R3, S6.

-- A row of the ledger is written, and goes with its person; nothing of ours ever changes one, or empties the table.
create trigger append_only before update or truncate on ledger
    for each statement execute function evidence_is_append_only();

-- Whatever is deleted from it while its person is held leaves a mark, also a row that says it was due.
create or replace function note_ledger_gone() returns trigger language plpgsql as $$
begin
    insert into rows_gone (entry, kind)
    select distinct g.entry, 'ledger' from gone g join persons p on p.id = g.person where p.erased_at is null;
    return null;
end
$$;

-- Marks live as long as the ledger that names their entries: of somebody who is gone there are none but those which go
-- with the rest of that ledger. Several in one transaction would tie one person's entries together for ever.
create or replace function note_rows_gone() returns trigger language plpgsql as $$
begin
    case tg_table_name
        when 'records' then
            insert into rows_gone (entry, kind)
            select 'ev' || substr(g.id, 4), 'record' from gone g join persons p on p.id = g.person
             where p.erased_at is null
             union
            select l.entry, 'record' from gone g join persons p on p.id = g.person
              join ledger l on l.person = g.person and l.entry = 'ev' || substr(g.id, 4)
             where p.erased_at is not null;
        when 'choices' then
            insert into rows_gone (entry, kind)
            select distinct g.entry, 'choice' from gone g join persons p on p.id = g.person where p.erased_at is null;
        when 'tellings' then
            insert into rows_gone (entry, kind)
            select g.entry, 'telling' from gone g join persons p on p.id = g.person where p.erased_at is null;
        when 'cases' then insert into rows_gone (entry, kind) select entry, 'case' from gone where entry is not null;
    end case;
    return null;
end
$$;

-- Marks that earlier erasures left behind: no ledger names their entries any more. A mark of the ledger itself stays.
delete from rows_gone g
 where g.kind in ('record', 'choice', 'telling') and not exists (select from ledger l where l.entry = g.entry);
