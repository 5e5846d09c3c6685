-- name: person_for_view^
-- The person whose own data is shown, or nothing once erased.
select id, slot, evidence_slot, language, told, standing, restricted_at, quarantined_at, created_at,
       exists (select from guardian_consents g
                where g.person = persons.id and g.scope = 'data' and g.withdrawn_at is null) as guarded
  from persons where id = :id and erased_at is null;

-- name: held_sections
-- The policy in force, the person, and their sealed sections with what records and cases say, all of one instant; newest
-- first, bounded for a page, of some categories or (null) of all. One row without a section where none is held; nothing
-- once erased.
select i.active_ordinal, p.id, p.slot as person_slot, p.evidence_slot, p.language, p.standing, p.restricted_at,
       p.created_at, s.*
  from persons p
 cross join installation i
  left join lateral (
        select r.id as record, r.slot, r.version, r.service, r.source, r.collected_at, r.case_id, r.anchors,
               s.category, s.sealed, k.opened_at, k.closed_at, k.anchors as case_anchors
          from records r
          join sections s on s.record = r.id
          left join cases k on k.id = r.case_id
         where r.person = p.id
           and (:categories::text[] is null or s.category = any(:categories::text[]))
         order by r.collected_at desc, r.id, s.category
         limit :most) s on true
 where p.id = :person and p.erased_at is null;

-- name: services_of
-- The services a person's records were given for.
select distinct service from records where person = :person;

-- name: concerns$
-- Whether an entry of the evidence stands in a person's ledger.
select exists (select from ledger where person = :person and entry = :entry);
