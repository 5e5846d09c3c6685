-- name: case_for_update^
-- A case, locked until the transaction ends, with its person's evidence slot; null once they were erased. `ours`: it is
-- a request's, which has an inbox of its own.
select k.id, k.kind, k.service, k.person, k.opened_at, k.closed_at, k.assigned, k.anchors,
       exists (select from requests r where r.case_id = k.id) as ours,
       (select p.evidence_slot from persons p where p.id = k.person and p.erased_at is null) as evidence_slot
  from cases k where k.id = :id for update of k;

-- name: open_case!
-- A case named for the first time.
insert into cases (id, kind, service, person, opened_by, opened_at, assigned, entry)
values (:id, :kind, :service, :person, :client, :now, :assigned, :entry);

-- name: change_case!
-- Binds a case that has nobody yet, and says to whom it is assigned.
update cases set person = coalesce(person, :person), assigned = :assigned where id = :id;

-- name: note_anchor!
-- A named event of a case; the latest of its kind counts.
update cases
   set anchors = anchors || jsonb_build_object(:name::text, greatest(:at::bigint, (anchors ->> :name::text)::bigint))
 where id = :id;

-- name: close_case!
-- Closed: it ties nobody any more.
update cases set closed_at = :at where id = :id and closed_at is null;

-- name: person_slot^
-- Whether somebody is held and open, with the slot of their evidence salts.
select evidence_slot from persons where id = :id and erased_at is null;

-- name: cases_of_staff
-- Open cases assigned to a staff member, oldest first.
select id, kind, service, opened_at, assigned from cases
 where closed_at is null and assigned @> array[:ref] order by opened_at limit :most;

-- name: open_cases
-- Open cases of these kinds, newest first.
select id, kind, service, opened_at, assigned from cases
 where closed_at is null and kind = any(:kinds::text[]) order by opened_at desc limit :most;

-- name: case_by_id^
-- One case, for a page.
select id, kind, service, person, opened_at, closed_at, assigned from cases where id = :id;
