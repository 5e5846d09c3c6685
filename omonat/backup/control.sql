-- name: pending
-- Changes nobody has written to the journal yet, in the order they were made, with the slot of whom they concern.
select c.n, c.id, c.txid, c.source, c.op, c.row, p.slot from control_changes c
left join persons p on p.id = case c.source when 'persons' then c.row ->> 'id' else c.row ->> 'person' end
order by c.n limit :most;

-- name: entries_of
-- The evidence entries of transactions, with those of the people named whom they concern.
select e.txid, e.id, e.act, e.body,
       array(select l.person from ledger l
              where l.person = any (:persons::text[]) and l.at = e.at and l.entry = e.id) as persons
  from entries e where e.txid = any (:txids::bigint[]) order by e.txid, e.id;

-- name: head^
-- How far the journal reached when it was noted last.
select frames, digest, high_water, generation from control_journal;

-- name: head_and_waiting^
-- The same, and which of these changes wait to be written: one statement, so that no round falls in between.
select j.frames, j.digest, j.high_water, j.generation,
       array(select c.id from control_changes c where c.id = any (:ids::text[])) as waiting
  from control_journal j;

-- name: begin_journal!
-- The first row, made by whoever opens the journal first.
insert into control_journal (frames, digest, high_water, generation) values (0, :digest, 0, 0) on conflict do nothing;

-- name: note_head!
-- Notes what is durable in the journal now, if nobody noted it otherwise.
update control_journal
   set frames = :frames, digest = :digest, high_water = greatest(high_water, :high_water),
       generation = greatest(generation, :generation)
 where frames = :before;

-- name: written!
-- These changes are in the journal.
delete from control_changes where id = any (:ids::text[]);

-- name: personal_tables
-- Tables under the journal whose rows live and die with a person.
select distinct t.tgrelid::regclass::name::text as name from pg_trigger t
 where t.tgfoid = 'control_note'::regproc
   and (t.tgrelid = 'persons'::regclass
        or exists (select from pg_constraint f where f.conrelid = t.tgrelid and f.confrelid = 'persons'::regclass
                      and f.contype = 'f' and f.confdeltype = 'c'));

-- name: waiting$
-- How many changes are in the database alone.
select count(*) from control_changes;
