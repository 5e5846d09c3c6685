-- name: write_round!
-- What is to be told to many; it waits for the second person.
insert into service_rounds (id, kind, audience, service, said, written_by, written_at, entries)
values (:id, :kind, :audience, :service, :said, :by, :now, :entries);

-- name: choose_people$
-- People named one by one; how many of them there are.
with chosen as (
    insert into service_notices (person, round, channel, state, at)
    select p.id, :round, 'center', 'chosen', :now from persons p where p.id = any (:people::text[]) and p.erased_at is null
    returning 1
)
select count(*) from chosen;

-- name: round_for_update^
-- One, locked until it is decided.
select id, kind, audience, service, said, written_by, written_at, approved_by, approved_at, reached, searched_at, entries
  from service_rounds where id = :id for update;

-- name: approve_round!
-- The second person agrees: people are looked for from now on.
update service_rounds set approved_by = :by, approved_at = :now, entries = entries || :entries::jsonb where id = :id;

-- name: service_round^
-- One, as it stands.
select id, kind, audience, service, said, written_by, written_at, approved_by, approved_at, reached, searched_at, entries
  from service_rounds where id = :id;

-- name: service_rounds
-- The newest, also what waits.
select id, kind, audience, service, said, written_by, written_at, approved_by, approved_at, reached, searched_at, entries
  from service_rounds order by written_at desc, id limit :most;

-- name: counts_of
-- How many notices of a round are in which state, by way.
select channel, state, count(*) as many from service_notices where round = :round group by channel, state
 order by channel, state;

-- name: claim_search^
-- A round people are still to be looked for, a breach first, then the oldest, for one worker at a time.
select id, kind, audience, service, approved_at, reached from service_rounds
 where approved_at is not null and searched_at is null
 order by kind <> 'security-breach', approved_at limit 1 for update skip locked;

-- name: move_search!
-- How far the search has come, and when it ended.
update service_rounds set reached = :reached, searched_at = :searched_at where id = :id;

-- name: everybody
-- The next people, in the order of their ids, and whether the round is for them: everybody here who was when it was
-- approved. What is asked about each is asked by key, so that a page costs what a page is worth, however many there are.
select p.id, p.language, way.has_email, way.has_mobile, true as meant
  from persons p
 cross join lateral (
    select coalesce(bool_or(l.item = 'contact.email'), false) as has_email,
           coalesce(bool_or(l.item = 'contact.mobile'), false) as has_mobile
      from lookups l where l.person = p.id
 ) way
 where p.id > :after and p.erased_at is null and p.created_at <= :before
 order by p.id limit :most
   for key share of p;

-- name: with_records
-- As `everybody`: it is for those who have records of a service.
select p.id, p.language, way.has_email, way.has_mobile, service.meant
  from persons p
 cross join lateral (
    select coalesce(bool_or(l.item = 'contact.email'), false) as has_email,
           coalesce(bool_or(l.item = 'contact.mobile'), false) as has_mobile
      from lookups l where l.person = p.id
 ) way
 cross join lateral (
    select count(*) > 0 as meant from (
        select from records r where r.person = p.id and r.service = :service limit 1
    ) one
 ) service
 where p.id > :after and p.erased_at is null and p.created_at <= :before
 order by p.id limit :most
   for key share of p;

-- name: of_clients
-- As `everybody`: those to be told at business clients, and sole traders who are clients.
select p.id, p.language, way.has_email, way.has_mobile, true as meant
  from persons p
 cross join lateral (
    select coalesce(bool_or(l.item = 'contact.email'), false) as has_email,
           coalesce(bool_or(l.item = 'contact.mobile'), false) as has_mobile
      from lookups l where l.person = p.id
 ) way
 where p.id > :after and p.erased_at is null and p.id in (
    select c.person from business_contacts c join business_clients b on b.id = c.client
     where c.person > :after and c.until is null and c.since <= :before and b.ended_at is null
     union all
    select trader from business_clients where trader > :after and registered_at <= :before and ended_at is null
 )
 order by p.id limit :most
   for key share of p;

-- name: chosen
-- As `everybody`: those who were named.
select p.id, p.language, way.has_email, way.has_mobile, true as meant
  from service_notices n join persons p on p.id = n.person
 cross join lateral (
    select coalesce(bool_or(l.item = 'contact.email'), false) as has_email,
           coalesce(bool_or(l.item = 'contact.mobile'), false) as has_mobile
      from lookups l where l.person = p.id
 ) way
 where n.round = :round and n.state = 'chosen' and n.person > :after and p.erased_at is null
 order by n.person limit :most
   for key share of p;

-- name: add_service_notices
-- Writes who is told and how; only those who weren't already come back.
insert into service_notices (person, round, channel, state, message, at)
select q.person, :round, q.channel, case q.channel when 'center' then 'waiting' else 'queued' end,
       nullif(q.message, ''), :now
  from unnest(:people::text[], :channels::text[], :messages::text[]) as q(person, channel, message)
    on conflict (person, round) do update
   set channel = excluded.channel, state = excluded.state, message = excluded.message, at = excluded.at
 where service_notices.state = 'chosen'
returning person;

-- name: claim_failed
-- Notices whose way led nowhere, ours until the transaction ends.
select n.person, n.round, n.channel, p.language, r.kind,
       exists (select from lookups l where l.person = p.id and l.item = 'contact.mobile') as has_mobile
  from service_notices n join persons p on p.id = n.person join service_rounds r on r.id = n.round
 where n.state = 'failed' and p.erased_at is null
 order by n.at limit :most
   for no key update of n skip locked;

-- name: take_next_way!
-- Another way for them.
update service_notices n
   set channel = q.channel, state = case q.channel when 'center' then 'waiting' else 'queued' end,
       message = nullif(q.message, ''), at = :now
  from unnest(:people::text[], :rounds::text[], :channels::text[], :messages::text[])
       as q(person, round, channel, message)
 where n.person = q.person and n.round = q.round and n.state = 'failed';

-- name: claim_delivered
-- Notices that were handed over long enough ago, ours until the transaction ends.
select n.person, n.round, n.channel, p.evidence_slot, r.kind
  from service_notices n join persons p on p.id = n.person join service_rounds r on r.id = n.round
 where n.state = 'handed-over' and n.at <= :latest
   and n.at <= case n.channel when 'sms' then :sms_before::timestamptz else :email_before::timestamptz end
   and p.erased_at is null
 order by n.at limit :most
   for no key update of n, p skip locked;

-- name: end_service_notices!
-- They have reached whom they were for.
update service_notices n set state = 'told', at = :now
  from unnest(:people::text[], :rounds::text[]) as q(person, round)
 where n.person = q.person and n.round = q.round;

-- name: give_back_service^
-- A message came back: its notice hasn't reached anybody. What it was before comes back, or nothing for another message.
with was as (select person, round, state from service_notices where message = :message for update)
update service_notices n set state = case was.state when 'handed-over' then 'failed' else was.state end, at = :now
  from was where n.person = was.person and n.round = was.round
returning was.state;

-- name: heard_by
-- What one person was or is being told, newest first.
select n.round, n.channel, n.state, n.at, r.kind, r.said, r.approved_at
  from service_notices n join service_rounds r on r.id = n.round
 where n.person = :person and n.state <> 'chosen'
 order by r.approved_at desc, n.round limit :most;

-- name: has_unheard$
-- Whether something waits that one person hasn't been told for sure.
select exists (select from service_notices where person = :person and state not in ('chosen', 'told'));

-- name: service_words^
-- What a round says.
select kind, said from service_rounds where id = :id and approved_at is not null;
