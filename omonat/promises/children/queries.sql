-- name: child^
-- A person as the rule needs them, held until the transaction ends.
select p.id, p.evidence_slot, p.quarantined_at,
       exists (select from guardian_consents g where g.person = p.id and g.withdrawn_at is null) as consented
  from persons p where p.id = :person and p.erased_at is null for update;

-- name: quarantine!
-- Closed to everybody, from the first signal on.
update persons set quarantined_at = coalesce(quarantined_at, :now) where id = :person;

-- name: end_sessions!
-- Whoever is signed in as the person isn't any more.
delete from web_sessions where holder = :person;

-- name: open!
-- Open again: somebody verified that a parent agrees.
update persons set quarantined_at = null where id = :person;

-- name: add_consent!
insert into guardian_consents (id, person, method, reference, given_at, checked_by, entries)
values (:id, :person, :method, :reference, :now, :by, :entries::jsonb);

-- name: withdraw_consent$
-- Ends the consent that stands; its id, or nothing.
update guardian_consents set withdrawn_at = :now, entries = entries || :entries::jsonb
 where person = :person and withdrawn_at is null returning id;
