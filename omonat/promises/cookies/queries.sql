-- name: count_choice!
-- One more browser chose so about these purposes today. Nobody's name, address or number.
insert into cookie_choices as c (day, register, purpose, state, how, times)
select :day, :register, q.purpose, q.state, :how, 1
  from unnest(:purposes::text[], :states::text[]) as q(purpose, state)
    on conflict (day, register, purpose, state, how) do update set times = c.times + 1;

-- name: choices_counted
-- How browsers chose since a day.
select day, register, purpose, state, how, times from cookie_choices
 where day >= :since order by day desc, register, purpose, state, how limit 1000;

-- name: see$
-- Something was seen that isn't registered. True when it is news; null when the list is full of other things.
insert into site_sightings as s (kind, name, first_at, last_at, times)
select :kind, :name, :now, :now, 1
 where exists (select from site_sightings where kind = :kind and name = :name)
    or (select count(*) from site_sightings) < :most
    on conflict (kind, name) do update set last_at = excluded.last_at, times = s.times + 1
returning times = 1;

-- name: sightings
-- What was seen, newest first.
select kind, name, first_at, last_at, times from site_sightings order by last_at desc, kind, name limit 500;

-- name: forget_sighting!
-- Somebody saw to it, or it is registered now.
delete from site_sightings where kind = :kind and name = :name;
