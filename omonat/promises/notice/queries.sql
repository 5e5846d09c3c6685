-- name: begin_round$
-- A version people are to be told of; nothing when its round has begun before.
insert into notice_rounds (version, begun_at, entry) values (:version, :now, :entry)
on conflict (version) do nothing returning version;

-- name: claim_round^
-- The round of a version, for one worker at a time; nothing while another one has it.
select reached, looked_at from notice_rounds where version = :version for update skip locked;

-- name: move_round!
-- How far the search has come, and when the last whole pass ended.
update notice_rounds set reached = :reached, looked_at = :looked_at where version = :version;

-- name: concerned
-- People with data that something new reaches and who weren't told of it nor are being told, in the order of their ids:
-- `told` and `since` are ordinals; a record counts when it was taken in before `since`.
select p.id, p.told, p.language,
       exists (select from lookups l where l.person = p.id and l.item = 'contact.email') as has_email,
       exists (select from lookups l where l.person = p.id and l.item = 'contact.mobile') as has_mobile
  from persons p
 where p.id > :after and p.erased_at is null and p.told < :version
   and exists (
        select from unnest(:told::int[], :since::int[], :services::text[], :categories::text[])
                 as q(told, since, service, category)
          join records r on r.person = p.id and r.service = q.service and r.version < q.since
          join sections s on s.record = r.id and s.category = q.category
         where q.told = p.told)
   and not exists (select from notices n where n.person = p.id and n.version = :version)
 order by p.id limit :most
   for key share of p;

-- name: count_concerned^
-- As `concerned`, for all at once and whether they are being told or not: how many, and how many ways there are to them.
select count(*) as people, count(*) filter (where has_email) as by_email,
       count(*) filter (where has_mobile and not has_email) as by_sms
  from (
    select exists (select from lookups l where l.person = p.id and l.item = 'contact.email') as has_email,
           exists (select from lookups l where l.person = p.id and l.item = 'contact.mobile') as has_mobile
      from persons p
     where p.erased_at is null and p.told < :version
       and exists (
            select from unnest(:told::int[], :since::int[], :services::text[], :categories::text[])
                     as q(told, since, service, category)
              join records r on r.person = p.id and r.service = q.service and r.version < q.since
              join sections s on s.record = r.id and s.category = q.category
             where q.told = p.told)) as found;

-- name: add_notices
-- Notices written down, each person once per version; those that are new come back.
insert into notices (person, version, since, channel, state, message, at)
select q.person, :version, q.since, q.channel, case q.channel when 'center' then 'waiting' else 'queued' end,
       nullif(q.message, ''), :now
  from unnest(:people::text[], :since::int[], :channels::text[], :messages::text[]) as q(person, since, channel, message)
 order by q.person
    on conflict (person, version) do nothing
returning person;

-- name: claim_failed
-- Notices whose way led nowhere, with the ways there are.
select n.person, n.version, n.since, n.channel, p.language,
       exists (select from lookups l where l.person = p.id and l.item = 'contact.mobile') as has_mobile
  from notices n join persons p on p.id = n.person
 where n.state = 'failed'
 order by n.at limit :most
   for update of n skip locked;

-- name: take_next_way!
-- Another way for notices that failed.
update notices n
   set channel = q.channel, state = case q.channel when 'center' then 'waiting' else 'queued' end,
       message = nullif(q.message, ''), at = :now
  from unnest(:people::text[], :versions::int[], :channels::text[], :messages::text[])
       as q(person, version, channel, message)
 where n.person = q.person and n.version = q.version and n.state = 'failed';

-- name: claim_delivered
-- Notices that were handed over long enough ago, with their people; both are ours until the transaction ends.
select n.person, n.version, n.since, n.channel, p.told, p.evidence_slot
  from notices n join persons p on p.id = n.person
 where n.state = 'handed-over' and n.at <= :latest
   and n.at <= case n.channel when 'sms' then :sms_before::timestamptz else :email_before::timestamptz end
   and p.erased_at is null
 order by n.at limit :most
   for no key update of n, p skip locked;

-- name: person_to_tell^
-- Somebody to whom it is shown, locked until it is written that they were told.
select id, told, standing, evidence_slot from persons where id = :id and erased_at is null for no key update;

-- name: add_tellings!
-- Versions reached people, each under the entry that says so.
insert into tellings (person, version, channel, at, entry)
select q.person, v.version, q.channel, :now, q.entry
  from unnest(:people::text[], :since::int[], :versions::int[], :channels::text[], :entries::text[])
       as q(person, since, version, channel, entry)
 cross join lateral generate_series(q.since + 1, q.version) as v(version)
    on conflict do nothing;

-- name: advance_told!
-- Who was told of which version; never back.
update persons p set told = q.told
  from unnest(:people::text[], :told::int[]) as q(id, told)
 where p.id = q.id and p.told < q.told;

-- name: end_notices!
-- Whoever was told of a version has been told of what its notices say.
update notices n set state = 'told', at = :now
  from unnest(:people::text[], :told::int[]) as q(id, told)
 where n.person = q.id and n.version <= q.told and n.state <> 'told';

-- name: give_back^
-- A message came back: its notice hasn't reached anybody. What it was before comes back, or nothing for another message.
with was as (select person, version, state from notices where message = :message for update)
update notices n set state = case was.state when 'handed-over' then 'failed' else was.state end, at = :now
  from was where n.person = was.person and n.version = was.version
returning was.state;

-- name: round_counts
-- How many notices of each version are in which state, by way.
select version, channel, state, count(*) as many from notices where version = :version group by version, channel, state
 order by version, channel, state;

-- name: rounds
-- Every round, newest first.
select version, begun_at, reached, looked_at from notice_rounds order by version desc;

-- name: notices_of
-- What a person was or is being told of, newest first.
select version, since, channel, state, at from notices where person = :person order by version desc;

-- name: records_of
-- Under which versions a person's data was taken in, by service and category, without opening any.
select r.service, s.category, min(r.version) as version
  from records r join sections s on s.record = r.id where r.person = :person group by r.service, s.category;

-- name: note_shown!
-- Shown in the Privacy Center: a notice of its own where none was written.
insert into notices (person, version, since, channel, state, at)
values (:person, :version, :since, 'center', 'told', :now)
on conflict (person, version) do update set state = 'told', at = :now where notices.state <> 'told';

-- name: told_of^
-- Of which version somebody was told; nothing once erased.
select told from persons where id = :id and erased_at is null;

-- name: accepted_version$
-- The newest version a person accepted as a whole.
select max(version) from choices where person = :person and kind = 'acceptance';
