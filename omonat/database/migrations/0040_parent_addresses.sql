-- A parent's address and the child's birth date go when the question is over: refused, called back, too late, or taken
-- back. Promise K2.
alter table parent_asks alter column address drop not null;
update parent_asks a set address = null, born = null
  from guardian_consents g where g.id = a.consent and g.withdrawn_at is not null;
create index parent_asks_addressed on parent_asks (over_at) where consent is null and address is not null;
-- How often a notice was shown anew to a parent who goes to pay: each time is an entry.
alter table parent_asks add column shown smallint not null default 0;
