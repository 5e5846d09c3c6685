-- Who looked is kept as long as its person: no row of the ledger was ever given a day of its own, and nothing reads one.
-- Promises A1, R3.
alter table ledger drop column due_at;
comment on table ledger is 'Person to evidence entries. Personal data: erased with the person.';
