-- Guardians (K2, K3) and images of the young (G5): who gave a parent's consent and may see and limit the child's data;
-- how old the child is, sealed; what was consented to; and whose images are closed until a parent agrees.
alter table guardian_consents
    add column scope    text not null default 'data' check (scope in ('data', 'images')),
    add column guardian text,     -- a person's id; no reference: a consent stays proof when its guardian is gone
    add column born     bytea;    -- the child's birth date, sealed under the child's own slot
alter table guardian_consents alter column born set statistics 0;
drop index guardian_consents_live;
create unique index guardian_consents_live on guardian_consents (person, scope) where withdrawn_at is null;
create index guardian_consents_by_guardian on guardian_consents (guardian) where withdrawn_at is null;
create index guardian_consents_newest on guardian_consents (given_at) where withdrawn_at is null;

-- The latest day on which the person can have been born, sealed under their slot, while their images are closed for
-- want of a parent's consent. Null: nothing says that they are so young, or a parent has agreed.
alter table persons add column images_closed bytea;
alter table persons alter column images_closed set statistics 0;
drop trigger control_updated on persons;
select journal_control('persons', 'false',
    '(old.slot, old.told, old.standing, old.restricted_at, old.quarantined_at, old.erased_at, old.images_closed)
     is distinct from (new.slot, new.told, new.standing, new.restricted_at, new.quarantined_at, new.erased_at,
                       new.images_closed)', false);
