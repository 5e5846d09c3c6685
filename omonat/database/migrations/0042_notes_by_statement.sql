-- The control journal's notes of the two tables that are written all day are made by the statement, for all its rows at
-- once, and no longer row by row: of what the database did for a withdrawal, the notes were nearly half.

create function control_note_choices() returns trigger language plpgsql as $$
begin
    insert into control_changes (source, op, row)
    select 'choices', 'put', to_jsonb(made) from made where made.kind <> 'acceptance';
    return null;
end
$$;

drop trigger control_inserted on choices;
create trigger control_inserted after insert on choices referencing new table as made
    for each statement execute function control_note_choices();

-- What was planned for one row must do for thousands as well: rows are matched by a hash, never one with every other.
create function control_note_persons() returns trigger language plpgsql set enable_nestloop = off as $$
begin
    insert into control_changes (source, op, row)
    select 'persons', 'gone', jsonb_build_object('id', was.id) from was
     where not exists (select from made where made.id = was.id)
    union all
    select 'persons', 'put', to_jsonb(made) from made left join was on was.id = made.id
     where (was.id, was.slot, was.told, was.standing, was.restricted_at, was.quarantined_at, was.erased_at, was.images_closed)
           is distinct from
           (made.id, made.slot, made.told, made.standing, made.restricted_at, made.quarantined_at, made.erased_at,
            made.images_closed);
    return null;
end
$$;

drop trigger control_updated on persons;
create trigger control_updated after update on persons referencing old table as was new table as made
    for each statement execute function control_note_persons();
