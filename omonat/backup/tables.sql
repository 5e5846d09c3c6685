-- name: kept_tables
-- Every table that is kept, with what it refers to: a table comes after those it needs.
select c.relname as name,
       array(select distinct f.confrelid::regclass::name::text from pg_constraint f
              where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as needs,
       array(select a.attname::text from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
              order by a.attnum) as columns
  from pg_class c join pg_namespace s on s.oid = c.relnamespace
 where s.nspname = 'omonat' and c.relkind in ('r', 'p') and c.relpersistence = 'p' and not c.relispartition
   and c.relname not in ('migrations', 'reconciling')  -- both are made by migrating
 order by c.relname;

-- name: schema_number$
-- The newest migration this database has seen.
select max(number) from migrations;

-- name: state^
-- What the manifest says of the moment: how far log and journal had come in this snapshot.
select i.id, i.origin, i.active_ordinal, coalesce(l.placed, 0) as placed, coalesce(l.published, 0) as published,
       coalesce(j.frames, 0) as frames, coalesce(j.digest, decode(repeat('00', 32), 'hex')) as digest,
       coalesce(j.high_water, 0) as high_water, coalesce(j.generation, 0) as generation
  from installation i left join evidence_log l on true left join control_journal j on true;
