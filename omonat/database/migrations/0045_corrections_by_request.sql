-- Corrections made through a request, and what staff find wrong (Q2): whose data it is about, which item, the value as it
-- was given (sealed), and what came of it. A request for a correction ends in one, in an erasure, or in a reason.
alter table requests add column about            text references persons on delete set null;
alter table requests add column item             text;
alter table requests add column proposed         bytea;       -- sealed under the key of the case's person
alter table requests add column proved_channel   bytea;       -- the phone or e-mail that was proved for it, sealed as well
alter table requests add column proof_asked_at   timestamptz; -- a new phone or e-mail waits for its owner's code since
alter table requests add column settled          text check (settled in ('corrected', 'erased', 'erased-partly'));
alter table requests add column settled_by       text;        -- the entry of the correction or erasure
alter table requests add constraint requests_settled check ((settled is null) = (settled_by is null));
alter table requests alter column proposed set statistics 0;
alter table requests alter column proved_channel set statistics 0;
create index requests_about on requests (about);
comment on table requests is
    'How far each request and complaint is. Text, contact and answer are records; a value to be put right lies sealed.';

alter table requests drop constraint requests_door_check;
alter table requests add constraint requests_door_check check (door in ('site', 'privacy-center', 'api', 'mailbox', 'desk'));

-- Who was signed in asked about their own data.
update requests r set about = k.person from cases k
 where k.id = r.case_id and r.kind = 'correction' and r.door = 'privacy-center' and k.person is not null;
