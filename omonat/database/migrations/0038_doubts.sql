-- Doubts about the house itself, and what the accounting believes. Promises A1, S5, S6.

-- What the accounting of openings wrote down is asked for often and is rare among entries.
create index entries_of_openings on entries (at) where act like 'opening:%';

-- Whoever looks up who looked reads the ledger; a row of it that is deleted while its person is held leaves a mark, like
-- one of theirs. Of somebody who is gone no mark stays: it would tie their entries together.
create function note_ledger_gone() returns trigger language plpgsql as $$
begin
    insert into rows_gone (entry, kind)
    select distinct g.entry, 'ledger' from gone g join persons p on p.id = g.person
     where p.erased_at is null and (g.due_at is null or g.due_at > now());
    return null;
end
$$;
create trigger rows_gone after delete on ledger referencing old table as gone
    for each statement execute function note_ledger_gone();
