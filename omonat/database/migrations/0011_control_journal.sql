-- Backup and restore (S6, C4, R3): what an older copy of this database must not forget is noted here by the statement
-- that writes it, and stays until the jobs process has written it to the control journal, outside the database.

create table control_changes (
    -- Rises for changes of one row in the order in which they were made: a later writer waits for the row's lock.
    n      bigint generated always as identity primary key,
    -- Numbers come again when a database is rolled back; this doesn't.
    id     text   not null default gen_random_uuid()::text unique,
    txid   bigint not null default (pg_current_xact_id()::text::bigint),
    source text   not null,
    op     text   not null check (op in ('put', 'gone')),
    row    jsonb  not null
);
alter table control_changes alter column row set statistics 0;
comment on table control_changes is 'Changes on their way to the control journal: gone within seconds. Person ids and choices.';

-- How far the control journal reached when it was noted last; a crash leaves it one frame behind, never ahead.
create table control_journal (
    single     boolean primary key default true check (single),
    frames     bigint  not null check (frames >= 0),
    digest     bytea   not null,
    high_water bigint  not null,
    generation bigint  not null
);
comment on table control_journal is 'One row: the journal''s head and the key file''s state at that time. No personal data.';

create function control_key(source oid, image jsonb) returns jsonb language sql stable as $$
    select jsonb_object_agg(a.attname, image -> a.attname)
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indrelid = source and i.indisprimary
$$;

create function control_note() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        insert into control_changes (source, op, row) values (tg_table_name, 'gone', control_key(tg_relid, to_jsonb(old)));
        return null;
    end if;
    if tg_op = 'UPDATE' and to_jsonb(old) ->> 'id' is distinct from to_jsonb(new) ->> 'id' then
        insert into control_changes (source, op, row) values (tg_table_name, 'gone', control_key(tg_relid, to_jsonb(old)));
    end if;
    insert into control_changes (source, op, row) values (tg_table_name, 'put', to_jsonb(new));
    return null;
end
$$;

-- Put a table under the control journal, for ever: `select journal_control('holds');` in the migration that makes it.
-- `inserted` and `updated` are conditions on new (and old); `false` leaves the event out, as `deleted` does.
create function journal_control(
    source regclass, inserted text default 'true', updated text default 'true', deleted boolean default true)
    returns void language plpgsql as $$
begin
    if inserted <> 'false' then
        execute format('create trigger control_inserted after insert on %s for each row when (%s) execute function control_note()',
                       source, inserted);
    end if;
    if updated <> 'false' then
        execute format('create trigger control_updated after update on %s for each row when (%s) execute function control_note()',
                       source, updated);
    end if;
    if deleted then
        execute format('create trigger control_deleted after delete on %s for each row execute function control_note()', source);
    end if;
end
$$;

-- A new person's row comes with data that only a data backup holds; what is decided about them afterwards counts here.
select journal_control('persons', 'false',
    '(old.slot, old.told, old.standing, old.restricted_at, old.quarantined_at, old.erased_at)
     is distinct from (new.slot, new.told, new.standing, new.restricted_at, new.quarantined_at, new.erased_at)');
-- What is sealed anew after it was taken in (a duty that outlives an erasure, a correction). What is removed is known by
-- its key: a sweep notes no rows.
select journal_control('records', 'false', 'old.slot is distinct from new.slot', false);
select journal_control('sections', 'false', 'true', false);
select journal_control('choices', $$new.kind <> 'acceptance'$$);
select journal_control('tellings');
select journal_control('clients');
select journal_control('staff', 'true',
    '(old.id, old.ref, old.role, old.role_until, old.trained_until, old.login, old.profile, old.password, old.totp)
     is distinct from (new.id, new.ref, new.role, new.role_until, new.trained_until, new.login, new.profile, new.password, new.totp)');
select journal_control('policies');
select journal_control('installation', 'true', 'old is distinct from new');

do $$
declare
    name text;
begin
    foreach name in array array['holds', 'erasures', 'system_notices'] loop
        if to_regclass('omonat.' || name) is not null then
            perform journal_control(to_regclass('omonat.' || name));
        end if;
    end loop;
end
$$;

-- Turn the notes off while a copy of the tables is loaded or the journal replayed into them, and on again.
create function control_notes(wanted boolean) returns void language plpgsql as $$
declare
    source regclass;
begin
    for source in select distinct tgrelid::regclass from pg_trigger where tgfoid = 'control_note'::regproc loop
        execute format(case when wanted then 'alter table %s enable trigger user' else 'alter table %s disable trigger user' end,
                       source);
    end loop;
end
$$;

-- One change of the journal, made again: 'done'; 'missing' when what it belongs to isn't in this copy; 'unknown' for a
-- table that isn't under the journal. A person is never made from it: their data would be missing.
create function control_apply(name text, op text, image jsonb) returns text language plpgsql as $$
declare
    source  oid := to_regclass('omonat.' || quote_ident(name));
    same    text;
    every   text;
    changed bigint;
begin
    if source is null or not exists (select from pg_trigger where tgrelid = source and tgfoid = 'control_note'::regproc) then
        return 'unknown';
    end if;
    select string_agg(format('t.%I is not distinct from r.%I', a.attname, a.attname), ' and ') into same
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indrelid = source and i.indisprimary;
    if op = 'gone' then
        execute format('delete from omonat.%I t using jsonb_populate_record(null::omonat.%I, $1) r where %s', name, name, same)
            using image;
        return 'done';
    end if;
    select string_agg(format('%I = r.%I', attname, attname), ', ') into every
      from pg_attribute where attrelid = source and attnum > 0 and not attisdropped and attgenerated = '' and image ? attname;
    execute format('update omonat.%I t set %s from jsonb_populate_record(null::omonat.%I, $1) r where %s', name, every, name, same)
        using image;
    get diagnostics changed = row_count;
    if changed > 0 then
        return 'done';
    end if;
    if name = 'persons' then
        return 'missing';
    end if;
    select string_agg(quote_ident(attname), ', ') into every
      from pg_attribute where attrelid = source and attnum > 0 and not attisdropped and attgenerated = '' and image ? attname;
    begin
        execute format('insert into omonat.%I (%s) select %s from jsonb_populate_record(null::omonat.%I, $1)', name, every, every, name)
            using image;
    exception when foreign_key_violation then
        return 'missing';
    end;
    return 'done';
end
$$;

-- After a load by COPY, numbers go on behind the largest there is.
create function control_numbers() returns void language plpgsql as $$
declare
    one record;
begin
    for one in
        select c.oid::regclass as source, a.attname, pg_get_serial_sequence(c.oid::regclass::text, a.attname) as numbers
          from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'omonat'::regnamespace and c.relkind = 'r'
           and pg_get_serial_sequence(c.oid::regclass::text, a.attname) is not null
    loop
        execute format('select setval(%L, coalesce(max(%I), 0) + 1, false) from %s', one.numbers, one.attname, one.source);
    end loop;
end
$$;

-- Whether a row is what the journal said of it last; for the proof of a restore.
create function control_same(name text, op text, image jsonb) returns boolean language plpgsql as $$
declare
    same   text;
    equals boolean;
begin
    select string_agg(format('t.%I is not distinct from r.%I', a.attname, a.attname), ' and ') into same
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indrelid = to_regclass('omonat.' || quote_ident(name)) and i.indisprimary;
    execute format(
        'select bool_and(to_jsonb(t) @> to_jsonb(r) - array(select k from jsonb_object_keys(to_jsonb(r)) k where not $1 ? k))
           from omonat.%I t, jsonb_populate_record(null::omonat.%I, $1) r where %s', name, name, same)
        into equals using image;
    return case op when 'gone' then equals is null else coalesce(equals, false) end;
end
$$;

-- Drills: a backup brought back beside the running service, measured (S6). A safeguard of the policy with a date.
create table drills (
    id     text primary key,
    at     timestamptz not null,
    backup text not null,
    passed boolean not null,
    report jsonb not null,
    entry  text not null
);
create index drills_passed on drills (at) where passed;
comment on table drills is 'Restore drills and what they found: counts and times. No personal data.';
select journal_control('drills');
