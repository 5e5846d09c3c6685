-- name: reaching_a_step
-- Open requests that staff may work on and whose deadline is near (`share` of its time has passed; null: none is) or
-- over, without an entry of that step: the index of the open ones is all it reads.
select r.number from requests r
 where r.state in ('received', 'confirmed', 'claimed', 'reopened') and (not r.needs_proof or r.proved_at is not null)
   and r.state <> 'closed'
   and (r.due_at <= :now
        or :now >= coalesce(r.runs_from, r.received_at)
                   + (r.due_at - coalesce(r.runs_from, r.received_at)) * (:share::float8 / 100))
   and not exists (select from escalations e where e.number = r.number and e.due_at = r.due_at
                      and e.step = case when r.due_at <= :now then 'overdue' else 'near' end)
 order by r.due_at, r.number limit :most;

-- name: add_escalation$
-- It goes up this step; null when it has already.
insert into escalations (number, due_at, step, role, at, letter, letter_due)
values (:number, :due_at, :step, :role, :now, :letter, :now)
on conflict (number, due_at, step) do nothing returning step;

-- name: gone_up
-- What went up and isn't answered, to whichever role it went then, the overdue first, then by deadline.
select r.number, r.case_id, r.kind, r.state, r.received_at, r.due_at, r.claimed_by, r.claimed_at, r.answered_at,
       r.outcome, r.reopened, r.proved_at, r.door, max(e.step) as step, min(e.at) as escalated_at,
       max(e.role) as escalated_to
  from requests r join escalations e on e.number = r.number and e.due_at = r.due_at
 where r.state in ('received', 'confirmed', 'claimed', 'reopened') and r.state <> 'closed'
 group by r.number order by max(e.step) desc, r.due_at, r.number limit :most;

-- name: end_untrue_letters!
-- Letters that would say what isn't so any more: of what is answered, closed or runs with another deadline, and that a
-- deadline is near once it is over. One being handed over is left alone until that has surely ended.
with untrue as (
    select e.number, e.due_at, e.step from escalations e
     where e.letter in ('waiting', 'handing-over') and e.letter_due <= :now
       and ((e.step = 'near' and e.due_at <= :now)
            or not (select r.due_at = e.due_at and r.state in ('received', 'confirmed', 'claimed', 'reopened')
                      from requests r where r.number = e.number))
     order by e.letter_due limit 100 for update of e skip locked
)
update escalations e set letter = 'none' from untrue
 where e.number = untrue.number and e.due_at = untrue.due_at and e.step = untrue.step;

-- name: end_letters_of!
-- It is answered or closed: letters about it that wait aren't sent.
update escalations set letter = 'none' where number = :number and letter = 'waiting';

-- name: claim_letter^
-- A letter about a step that is to be sent, or whose worker died; two workers never get the same one. Only one that is
-- true now: of a request that is still open, with the deadline it is about.
with picked as (
    select e.number, e.due_at, e.step from escalations e
     where e.letter in ('waiting', 'handing-over') and e.letter_due <= :now and (e.step = 'overdue' or e.due_at > :now)
       and (select r.due_at = e.due_at and r.state in ('received', 'confirmed', 'claimed', 'reopened')
              from requests r where r.number = e.number)
     order by e.letter_due limit 1 for update of e skip locked
)
update escalations e set letter = 'handing-over', letter_due = :until, attempts = e.attempts + 1
  from picked join requests r on r.number = picked.number
 where e.number = picked.number and e.due_at = picked.due_at and e.step = picked.step
returning e.number, e.due_at, e.step, e.attempts, r.kind;

-- name: settle_letter!
-- What became of it; `due`: when to try again, if it waits.
update escalations set letter = :letter, letter_due = :due
 where number = :number and due_at = :due_at and step = :step and letter = 'handing-over' and attempts = :attempts;
