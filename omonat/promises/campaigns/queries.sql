-- name: count_people
-- How many people, by what the rule says of each now.
select campaign_verdict(p, :purpose, :item, :category, :since) as reason, count(*) as many
  from persons p group by 1 order by 1;

-- name: plan_campaign$
-- A campaign, planned; nothing when one has that name.
insert into campaigns (id, name, purpose, channel, texts, counted, planned_at, planned_by, entry)
values (:id, :name, :purpose, :channel, :texts, :counted, :now, :by, :entry)
on conflict (name) do nothing returning id;

-- name: campaign^
-- One campaign by its name.
select * from campaigns where name = :name;

-- name: campaign_texts^
-- What a campaign says.
select texts from campaigns where id = :id;

-- name: campaigns
-- The newest campaigns first.
select * from campaigns order by planned_at desc, id limit :most;

-- name: lock_campaign^
-- One campaign, held: no letter of it begins to be handed over meanwhile.
select * from campaigns where name = :name for update;

-- name: approve_campaign!
-- A second person agreed to it.
update campaigns set state = 'approved', approved_at = :now, approved_by = :by where id = :id;

-- name: start_campaign!
-- It runs from now on.
update campaigns set state = 'running', started_at = :now, started_by = :by where id = :id;

-- name: stop_campaign!
-- It has stopped.
update campaigns set state = 'stopped', ended_at = :now where id = :id;

-- name: running
-- Campaigns with something to do: letters to write, or letters to take back.
select id from campaigns where state in ('running', 'stopped') and outcome is null order by started_at, id;

-- name: claim_campaign^
-- One campaign for one worker at a time; hand-overs go on beside it, a stop waits.
select * from campaigns where id = :id and state in ('running', 'stopped') and outcome is null
   for no key update skip locked;

-- name: permitted_people
-- The next people who get a letter, in the order of their ids.
select p.id, p.language from persons p
 where p.id > :after and p.erased_at is null and p.standing -> 'consents' ? :purpose
   and campaign_verdict(p, :purpose, :item, :category, :since) = 'permitted'
 order by p.id limit :most
   for key share of p;

-- name: move_campaign!
-- How far the letters are written.
update campaigns set reached = :reached, searched = :searched where id = :id;

-- name: take_back
-- Letters of a stopped campaign that haven't begun: refused, and what was claimed of them is claimed no more.
with waiting as (
    select person, id from outbox
     where once = :once and state in ('waiting', 'claimed') limit :most for update skip locked
)
update outbox o set state = 'refused', settled_at = :now, claim = null, code = 'campaign-stopped', sealed = null
  from waiting w where o.person = w.person and o.id = w.id
returning o.id;

-- name: letters
-- How many letters of a campaign, by state and why.
select state, coalesce(code, '') as code, count(*) as many from outbox where once = :once group by 1, 2 order by 1, 2;

-- name: end_campaign!
-- Each letter has ended; their numbers stay.
update campaigns set state = case state when 'stopped' then state else 'done' end, outcome = :outcome,
       ended_at = coalesce(ended_at, :now)
 where id = :id;

-- name: campaign_under_way$
-- Whether a letter of a campaign is with a carrier at this moment.
select exists (select from outbox where once = :once and state = 'handing-over' and due_at > :now);
