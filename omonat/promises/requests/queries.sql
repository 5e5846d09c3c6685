-- name: insert_request!
-- A request as it is received.
insert into requests (number, case_id, kind, state, door, form, channel, needs_proof, proved_at, proof,
                      proof_until, received_at, due_at, about, item, proposed,
                      proved_channel)
values (:number, :case_id, :kind, :state, :door, :form, :channel, :needs_proof, :proved_at, :proof, :proof_until,
        :now, :due_at, :about, :item, :proposed, :proved_channel);

-- name: lock_person$
-- A person, locked until the transaction ends.
select p.id from persons p where p.id = :id for no key update of p;

-- name: lock_person_of$
-- Whoever a request's case is of, locked until the transaction ends.
select p.id from persons p
 where p.id = (select k.person from requests r join cases k on k.id = r.case_id where r.number = :number)
   for no key update of p;

-- name: request_for_update^
-- A request, its case's person and slots, locked until the transaction ends; whether its answer's message waits.
select r.*, k.person, p.slot, p.evidence_slot, p.language,
       exists (select from outbox o where o.person = k.person and o.case_id = r.case_id
                  and o.template in ('request-answered', 'finding-answered') and o.state in ('waiting', 'claimed', 'handing-over')) as letter_waits
  from requests r join cases k on k.id = r.case_id
  left join persons p on p.id = k.person and p.erased_at is null
 where r.number = :number for update of r;

-- name: request_by_number^
-- A request for a page, with the person it concerns (no slot once they were erased), and whether they are kept for more
-- than this request.
select r.*, k.person, p.slot, p.evidence_slot, p.language,
       exists (select from records o where o.person = k.person and o.case_id is distinct from r.case_id) as of_account,
       up.step, up.at as escalated_at, up.role as escalated_to,
       exists (select from outbox o where o.person = k.person and o.case_id = r.case_id
                  and o.template in ('request-answered', 'finding-answered') and o.state in ('waiting', 'claimed', 'handing-over')) as letter_waits
  from requests r join cases k on k.id = r.case_id
  left join persons p on p.id = k.person and p.erased_at is null
  left join lateral (select step, at, role from escalations e
                      where e.number = r.number and e.due_at = r.due_at order by e.step desc limit 1) up on true
 where r.number = :number;

-- name: requests_of
-- A person's requests, newest first.
select r.*, up.step, up.at as escalated_at, up.role as escalated_to
  from cases k join requests r on r.case_id = k.id
  left join lateral (select step, at, role from escalations e
                      where e.number = r.number and e.due_at = r.due_at order by e.step desc limit 1) up on true
 where k.person = :person order by r.received_at desc, r.number limit :most;

-- name: open_requests
-- Requests of these kinds that wait for staff: what went up for being overdue, what went up for being near, then the
-- earliest deadline first. One that still waits for its code is not there: nothing follows from it.
select r.number, r.case_id, r.kind, r.state, r.received_at, r.due_at, r.claimed_by, r.claimed_at, r.answered_at,
       r.outcome, r.reopened, r.proved_at, r.about, r.item, r.proposed is not null as given, r.settled, r.proof_asked_at,
       r.door, up.step, up.at as escalated_at, up.role as escalated_to
  from requests r
  left join lateral (select step, at, role from escalations e
                      where e.number = r.number and e.due_at = r.due_at order by e.step desc limit 1) up on true
 where r.state in ('received', 'confirmed', 'claimed', 'reopened', 'answered') and r.kind = any(:kinds::text[])
   and (not r.needs_proof or r.proved_at is not null)
   and (r.state <> 'answered' or r.claimed_by = :staff)
 order by (r.state = 'answered'), up.step desc nulls last, r.due_at, r.number limit :most;

-- name: try_proof^
-- One more try of the code; counted in the statement that compares. Nothing when there is none to try.
update requests set proof_tries = proof_tries + 1
 where number = :number and state = 'received' and proof is not null and proof_until > :now and proof_tries < 5
returning proof = :proof as right;

-- name: confirm!
-- The channel is proved.
update requests set state = 'confirmed', proved_at = :now, proof = null, proof_until = null where number = :number;

-- name: new_proof!
-- Another code takes the place of the one before.
update requests set proof = :proof, proof_until = :until, proof_tries = 0 where number = :number;

-- name: claim!
-- One member of staff has it.
update requests set state = 'claimed', claimed_by = :staff, claimed_at = :now where number = :number;

-- name: release!
-- Given back: it stands as it did before it was claimed, and a new channel that waits for its code does so no more.
update requests
   set state = case when reopened > 0 then 'reopened' when proved_at is not null then 'confirmed' else 'received' end,
       claimed_by = null, claimed_at = null, proof_asked_at = null
 where number = :number;

-- name: answer!
-- Answered, with its outcome: no new channel waits for a code any more, and the value that was given isn't needed.
update requests set state = 'answered', answered_at = :now, outcome = :outcome, reason = :reason, proposed = null,
       proof_asked_at = null
 where number = :number;

-- name: close!
-- Closed.
update requests set state = 'closed', closed_at = :now, outcome = coalesce(outcome, :outcome), proof = null,
       proof_until = null, proposed = null, proved_channel = null, proof_asked_at = null
 where number = :number;

-- name: reopen!
-- The answer did not settle it: a new deadline runs, and anybody who may can claim it.
update requests
   set state = 'reopened', reopened = reopened + 1, due_at = :due_at, runs_from = :now, claimed_by = null, claimed_at = null,
       outcome = null, reason = null, closed_at = null, settled = null, settled_by = null,
       proof_asked_at = null
 where number = :number;

-- name: propose!
-- A new phone or e-mail that counts once its owner has typed a code.
update requests set item = :item, proposed = :proposed, proof_asked_at = :now where number = :number;

-- name: settle!
-- What a request for a correction asks for was done: the value that was given isn't needed any more.
update requests set settled = :settled, settled_by = :entry, item = :item, proposed = null, proof_asked_at = null
 where number = :number;

-- name: open_about$
-- The number of a request for a correction of this item of this person that nobody has answered yet, but for this one.
select number from requests
 where about = :person and kind = 'correction' and item = :item
   and number <> :but and state in ('received', 'confirmed', 'claimed', 'reopened') and (not needs_proof or proved_at is not null)
 order by received_at limit 1;

-- name: person_of_case^
-- Whom a case is tied to, while it is open, and their language.
select p.id, p.language from cases k join persons p on p.id = k.person
 where k.id = :id and k.closed_at is null and p.erased_at is null;

-- name: categories_held
-- Which kinds of data are held of somebody, without opening anything.
select distinct s.category from sections s where s.person = :person;

-- name: open_case_again!
-- The case of a request that was taken up again ties staff to its person once more.
update cases set closed_at = null where id = :id;

-- name: lapsed
-- Requests that nobody confirmed in time, answered ones that nobody took up again, and open ones of people who were
-- erased: nobody is there to answer.
(select number from requests where state = 'received' and needs_proof and proved_at is null
    and received_at <= :unproved order by received_at limit 100)
union all
(select number from requests where state = 'answered' and answered_at <= :settled order by answered_at limit 100)
union all
(select r.number from requests r join cases k on k.id = r.case_id join persons p on p.id = k.person
  where r.state <> 'closed' and p.erased_at is not null order by r.due_at limit 100);

-- name: restricted$
-- Whether somebody restricted the use of their data.
select restricted_at is not null from persons where id = :person and erased_at is null;

-- name: channels_of
-- How somebody can be reached, the newest first: items only.
select item, max(since) as since from lookups
 where person = :person and item = any(:items::text[]) group by item order by item;

-- name: drop_gone
-- Requests whose person is gone from their case: erased, or nothing of theirs is kept any more; their numbers.
delete from requests r using cases k where k.id = r.case_id and k.person is null returning r.number;
