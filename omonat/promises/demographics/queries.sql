-- name: count_answers!
-- A batch of answers, whichever order they came in. Nobody's name, address, number or instant.
insert into demographics as d (week, question, answer, times)
select q.week, q.question, q.answer, q.times
  from unnest(:weeks::date[], :questions::text[], :answers::text[], :times::bigint[]) as q(week, question, answer, times)
 order by q.week, q.question, q.answer
    on conflict (week, question, answer) do update set times = d.times + excluded.times;

-- name: counted_between
-- The counters of whole weeks, summed; under no question, that a restore lost some of them.
select question, answer, sum(times)::bigint as times from demographics
 where week >= :since and week < :until group by question, answer order by question, answer limit 1000;
