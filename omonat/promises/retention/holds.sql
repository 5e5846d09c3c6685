-- name: place_hold!
-- A hold, in force at once; somebody else has to approve it.
insert into holds (id, scope, target, items, authority, may_tell, review_at, placed_at, placed_by, entries)
values (:id, :scope, :target, :items, :authority, :may_tell, :review_at, :now, :placed_by, :entries);

-- name: hold_for_update^
-- A hold, locked until the transaction ends.
select * from holds where id = :id for update;

-- name: hold_by_id^
-- A hold, for a page.
select * from holds where id = :id;

-- name: live_holds
-- Every hold that stands, the one to be reviewed first first.
select * from holds where released_at is null order by review_at limit :most;

-- name: approve_hold!
-- The second person agrees.
update holds set approved_at = :now, approved_by = :by, entries = entries || :entries where id = :id;

-- name: ask_release!
-- Somebody asks for the end; another one has to agree.
update holds set ending_by = :by, entries = entries || :entries where id = :id;

-- name: release_hold!
-- The end of a hold.
update holds set released_at = :now, released_by = :by, entries = entries || :entries where id = :id;

-- name: person_of_record$
-- Whose a record is.
select person from records where id = :id;

-- name: whose^
-- The person a hold concerns, while anything of theirs is there; locked, so that no sweep under way misses the hold.
select p.id, p.evidence_slot from persons p
 where (p.erased_at is null or p.remains)
   and p.id = case :scope::text when 'person' then :target::text
                                when 'case' then (select k.person from cases k where k.id = :target)
                                else (select r.person from records r where r.id = :target) end
   for no key update of p;

-- name: to_review
-- Holds whose review is overdue.
select id from holds where released_at is null and review_at <= :now order by review_at limit :most;

-- name: close_review!
-- Its review is done.
update work_items set closed_at = :now
 where rule = any(:rules::text[]) and person is null and missing = :hold and closed_at is null;

-- name: review_again!
-- A new date.
update holds set review_at = :review_at, entries = entries || :entries where id = :id;

-- name: lapsed
-- Holds that no second person approved in time.
select id, scope, target from holds
 where released_at is null and approved_at is null and placed_at <= :before
 order by review_at limit :most for update skip locked;
