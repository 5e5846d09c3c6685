-- name: person_for_view^
-- The person whose own data is shown, or nothing once erased.
select id, slot, evidence_slot, language, told, standing, restricted_at, quarantined_at, created_at
  from persons where id = :id and erased_at is null;

-- name: held_sections
-- All sealed sections of a person with what their records and cases say, newest first; bounded for a page.
select r.id as record, r.slot, r.version, r.service, r.source, r.collected_at, r.case_id, r.anchors,
       s.category, s.sealed, k.opened_at, k.closed_at, k.anchors as case_anchors
  from records r
  join sections s on s.record = r.id
  left join cases k on k.id = r.case_id
 where r.person = :person
 order by r.collected_at desc, r.id, s.category
 limit :most;

-- name: concerns$
-- Whether an entry of the evidence stands in a person's ledger.
select exists (select from ledger where person = :person and entry = :entry);
