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

-- What an entry's bytes say, for whoever compares all of them: null where they were altered into something else, so that
-- one such entry neither stops nor hides the comparison of the others.
create function entry_facts(body bytea) returns jsonb language plpgsql immutable as $$
declare
    facts jsonb;
begin
    facts := convert_from(body, 'UTF8')::jsonb -> 'facts';
    return case when jsonb_typeof(facts) = 'object' then facts end;
exception when others then
    return null;
end
$$;
