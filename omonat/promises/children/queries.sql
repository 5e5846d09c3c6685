-- name: child^
-- A person as the rule needs them, held until the transaction ends.
select p.id, p.slot, p.evidence_slot, p.quarantined_at, p.images_closed,
       array(select g.scope from guardian_consents g where g.person = p.id and g.withdrawn_at is null) as consented
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

-- name: close_images
-- Images of the young are closed, unless a parent has agreed to them. The latest day of birth, sealed.
update persons p set images_closed = q.born
  from unnest(:ids::text[], :born::bytea[]) as q(id, born)
 where p.id = q.id and p.erased_at is null
   and not exists (select from guardian_consents g
                    where g.person = p.id and g.scope = 'images' and g.withdrawn_at is null)
returning p.id;

-- name: open_images!
-- A parent agrees to images: what says how young the person is lies with the consent from now on.
update persons set images_closed = null where id = :person;

-- name: set_images!
-- What a document says of how young the person is, sealed; null for somebody who is old enough.
update persons set images_closed = :born where id = :person;

-- name: add_consent!
insert into guardian_consents (id, person, method, reference, given_at, checked_by, entries, scope, guardian, born)
values (:id, :person, :method, :reference, :now, :by, :entries::jsonb, :scope, :guardian, :born);

-- name: confirm_consent!
-- A consent that stands, verified once more.
update guardian_consents set entries = entries || :entries::jsonb
 where person = :person and scope = :scope and withdrawn_at is null;

-- name: withdraw_consent^
-- Ends the consent that stands; its id and the sealed birth date, or nothing.
update guardian_consents set withdrawn_at = :now, entries = entries || :entries::jsonb
 where person = :person and scope = :scope and withdrawn_at is null returning id, born;

-- name: closed_children
-- Children whose data is closed, the earliest first.
select id, quarantined_at from persons
 where quarantined_at <= :now and erased_at is null order by quarantined_at limit 200;

-- name: standing_consents
-- Consents that stand, the newest first.
select g.person, g.scope, g.method, g.given_at, g.withdrawn_at, g.guardian is not null as has_guardian
  from guardian_consents g join persons p on p.id = g.person and p.erased_at is null
 where g.withdrawn_at is null and g.given_at <= :now order by g.given_at desc limit 200;

-- name: consents_of
-- All consents that were given for a person, the newest first.
select g.person, g.scope, g.method, g.given_at, g.withdrawn_at, g.guardian is not null as has_guardian
  from guardian_consents g where g.person = :person order by g.given_at desc limit 50;

-- name: looked_at^
-- A person as the officer's page needs them, nobody's data.
select id, quarantined_at, images_closed is not null as images_closed from persons
 where id = :person and erased_at is null;

-- name: wards
-- The children whose data a guardian may see: their consent stands, and nobody has closed it again.
select p.id, p.slot, p.evidence_slot, p.restricted_at, g.born, g.method, g.given_at,
       exists (select from guardian_consents i
                where i.person = p.id and i.guardian = g.guardian and i.scope = 'images'
                  and i.withdrawn_at is null) as images
  from guardian_consents g
  join persons p on p.id = g.person and p.erased_at is null and p.quarantined_at is null
  join persons a on a.id = g.guardian and a.erased_at is null and a.quarantined_at is null
 where g.guardian = :guardian and g.scope = 'data' and g.withdrawn_at is null
 order by g.given_at limit 50;

-- name: is_guardian$
-- Whether this guardian's consent over this child stands, held until the transaction ends.
select true from guardian_consents g join persons p on p.id = g.person and p.erased_at is null
 where g.person = :person and g.guardian = :guardian and g.scope = 'data' and g.withdrawn_at is null
   and p.quarantined_at is null
   for share of g;

-- name: consents_by
-- Consents to a child's data that stand and were given in one of these ways, a page of them.
select id, person from guardian_consents
 where withdrawn_at is null and scope = 'data' and method = any(:methods::text[]) and id > :after
 order by id limit :most;

-- name: consent_method$
-- In which way a parent agreed, while that stands.
select method from guardian_consents where person = :person and scope = 'data' and withdrawn_at is null;

-- name: guarded
-- Guardians' consents that stand, so that those whose child has come of age can be found.
select g.id, g.person, g.scope, g.born, p.slot
  from guardian_consents g join persons p on p.id = g.person and p.erased_at is null
 where g.withdrawn_at is null and g.born is not null and g.id > :after order by g.id limit :most;
