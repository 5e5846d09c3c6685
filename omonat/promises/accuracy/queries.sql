-- name: claim_ageing
-- People about whose data it is time to ask, the longest overdue first; two processes never get the same one.
select c.person, c.asked_at, c.confirmed, c.quiet, p.slot, p.evidence_slot, p.language, p.standing,
       p.erased_at is not null or p.quarantined_at is not null as closed, p.restricted_at is not null as restricted
  from confirmations c join persons p on p.id = c.person
 where c.due_at <= :now and not c.quiet
 order by c.due_at limit :most for update of c skip locked;

-- name: guarded_of
-- Those of these people for whom a parent decides.
select person from guardian_consents
 where person = any(:people::text[]) and scope = 'data' and withdrawn_at is null;

-- name: ageing_of^
-- As above, of one person; nothing where nothing is to be asked.
select c.person, c.asked_at, c.confirmed, c.quiet, p.slot, p.evidence_slot, p.language, p.standing,
       p.erased_at is not null or p.quarantined_at is not null as closed, p.restricted_at is not null as restricted,
       exists (select from guardian_consents g
                where g.person = p.id and g.scope = 'data' and g.withdrawn_at is null) as guarded
  from confirmations c join persons p on p.id = c.person where c.person = :person;

-- name: given_of
-- When these people last gave something of a category to one of these services.
select s.person, s.category, r.service, max(s.collected_at) as at
  from sections s join records r on r.id = s.record
 where s.person = any(:people::text[]) and r.service = any(:services::text[])
 group by s.person, s.category, r.service;

-- name: newest_of
-- To which service these people last gave something of a category, and when.
select p.person, c.category, n.service, n.at
  from unnest(:people::text[]) as p(person) cross join unnest(:categories::text[]) as c(category)
 cross join lateral (
        select r.service, s.collected_at as at from sections s join records r on r.id = s.record
         where s.person = p.person and s.category = c.category order by s.collected_at desc, s.record limit 1) n;

-- name: reached_by
-- Since when the newest of each item that leads to these people does.
select person, item, max(since) as since from lookups
 where person = any(:people::text[]) and item = any(:items::text[]) group by person, item;

-- name: channels_of
-- How somebody can be reached, the proved ones first.
select item, digest from lookups where person = :person and item = any(:items::text[])
 order by verified_at desc nulls last, since desc limit 1;

-- name: note_asked!
-- Looked at: when to look again, and when they were written to.
update confirmations set due_at = :due_at, asked_at = coalesce(:asked_at, asked_at) where person = :person;

-- name: forget_ageing!
-- Nothing of theirs is asked about any more.
delete from confirmations where person = :person;

-- name: confirm_item!
-- It is right, says the person, or was put right.
insert into confirmations as c (person, due_at, confirmed) values (:person, :now, jsonb_build_object(:item::text, :at::bigint))
    on conflict (person) do update set confirmed = c.confirmed || excluded.confirmed, due_at = least(c.due_at, :now);

-- name: set_quiet!
-- They don't want to be asked, or do again.
update confirmations set quiet = :quiet, due_at = least(due_at, :now) where person = :person;

-- name: add_to_tell!
-- Of a correction, who outside is to be told.
insert into corrections_to_tell (erasure, person, item, due_at) values (:erasure, :person, :item, :now)
    on conflict do nothing;

-- name: claim_to_tell^
-- The oldest correction of which it is still to be found who is to be told.
select t.erasure, t.person, t.item, p.evidence_slot
  from corrections_to_tell t join persons p on p.id = t.person
 where t.due_at <= :now order by t.due_at limit 1 for update of t skip locked;

-- name: told_of!
-- Found, and written.
delete from corrections_to_tell where erasure = :erasure;

-- name: handed_out
-- What was authorised about somebody, before an instant, a batch at a time, newest first.
select e.id, e.at, e.body from ledger l join entries e on e.txid = l.txid and e.id = l.entry
 where l.person = :person and e.act = 'use:person:authorised' and (l.at, l.entry) < (:before, :than)
 order by l.at desc, l.entry desc limit :most;

-- name: cases_of
-- The cases of somebody, by which recipients know what they got.
select id from cases where person = :person order by opened_at desc limit 1000;
