-- name: case_to_link^
-- A case whose records a link may lead to; `ours`: it is a request's. No person where they were erased, limited the use
-- of their data or are closed as a child's.
select k.id, k.kind, p.id as person, p.evidence_slot, exists (select from requests r where r.case_id = k.id) as ours
  from cases k
  left join persons p
    on p.id = k.person and p.erased_at is null and p.quarantined_at is null and p.restricted_at is null
 where k.id = :case;

-- name: what_is_kept
-- The policy in force, the case, its person, and which categories of its records are kept, all of one instant; nothing
-- is opened, so nothing sealed is read. One row without a category where nothing is kept; nothing for a person who was
-- erased, limited the use of their data or is closed as a child's.
select i.active_ordinal, k.kind, k.opened_at, k.closed_at, k.anchors as case_anchors, p.id as person, p.evidence_slot,
       p.standing, s.*
  from cases k
  join persons p on p.id = k.person and p.erased_at is null and p.quarantined_at is null and p.restricted_at is null
 cross join installation i
  left join lateral (
        select r.id as record, r.version, r.service, r.source, r.collected_at, r.anchors, s.category
          from records r
          join sections s on s.record = r.id
         where r.case_id = k.id and r.person = k.person
         order by r.collected_at desc, r.id, s.category
         limit 200) s on true
 where k.id = :case;
