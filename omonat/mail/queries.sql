-- name: claim_due
-- Takes messages that are due, the most urgent class first; two workers never get the same one.
with picked as (
    select person, id from outbox
    where state in ('waiting', 'claimed') and due_at <= :now
    order by class desc, due_at
    limit :most
    for update skip locked
)
update outbox as o
set state = 'claimed', claim = :claim, due_at = :until, attempts = o.attempts + 1
from picked join persons as p on p.id = picked.person
where o.person = picked.person and o.id = picked.id
returning o.id, o.claim, o.person, p.slot as person_slot, o.template, o.class, o.purpose, o.channel, o.address_item, o.language, o.case_id,
    o.facts, o.sealed, o.attempts, o.created_at, o.expires_at,
    p.standing, p.restricted_at, p.quarantined_at, p.erased_at;

-- name: begin_hand_over$
-- The last step before the network; nothing when the claim was lost, and then nothing may be handed over.
update outbox set state = 'handing-over', due_at = :until, sent_to = :sent_to
where person = :person and id = :id and claim = :claim and state = 'claimed' and due_at > :now
returning id;

-- name: put_off$
-- Back into the queue until `due`; an attempt that never reached the network may be given back.
update outbox
set state = 'waiting', due_at = :due, claim = null, code = :code, attempts = attempts - :unspent::smallint
where person = :person and id = :id and claim = :claim and state in ('claimed', 'handing-over')
returning id;

-- name: settle$
-- The end of a message; its sealed parameters go with it.
update outbox set state = :state, settled_at = :now, claim = null, code = :code, sealed = null
where person = :person and id = :id and claim = :claim and state in ('claimed', 'handing-over')
returning id;

-- name: mend_interrupted
-- Hand-overs whose worker died: an e-mail goes again under the same Message-ID; an SMS and marketing do not.
with cut as (
    select person, id, channel = 'email' and class <> 'marketing' as again from outbox
    where state = 'handing-over' and due_at <= :now
    limit :most
    for update skip locked
)
update outbox as o
set state = case when cut.again then 'waiting' else 'uncertain' end,
    settled_at = case when cut.again then null else :now::timestamptz end,
    sealed = case when cut.again then o.sealed else null end,
    code = 'message-outcome-unknown',
    claim = null
from cut
where o.person = cut.person and o.id = cut.id
returning o.id, o.template, o.channel, o.state;

-- name: service_sent
-- When service messages went to a person since an instant.
select settled_at from outbox
where person = :person and class = 'service' and state in ('sent', 'uncertain') and settled_at > :since;

-- name: lock_person^
-- Holds the person's row while a hand-over begins: no choice is written in between, and service messages are counted.
select standing, restricted_at, quarantined_at, erased_at from persons where id = :person for no key update;

-- name: campaign_runs$
-- Whether a campaign runs, held until the hand-over has begun: a stop waits for that, or comes before it.
select state = 'running' from campaigns where id = :id for key share;

-- name: service_begun
-- When service messages went to a person since an instant, those under way counted as going now.
select coalesce(settled_at, :now::timestamptz) as at from outbox
where person = :person and class = 'service'
    and (state = 'handing-over' or (state in ('sent', 'uncertain') and settled_at > :since));

-- name: prune$
-- Removes messages settled before an instant; how many.
with gone as (
    delete from outbox where ctid = any (array(
        select ctid from outbox where settled_at < :before limit :most for update skip locked
    )) returning 1
)
select count(*) from gone;

-- name: open_counts
-- How many messages are on their way, by class and state.
select class, state, count(*) as many from outbox
where state in ('waiting', 'claimed', 'handing-over')
group by class, state;
