-- name: uses_since
-- Uses that were decided since an instant, as the log has them, in one pass over it.
select body from entries where at > :after and act in ('use:person:authorised', 'use:person:refused');

-- name: uses_without_consent
-- Uses that gave something, by purpose and role, whose person has no consent to the purpose now.
select f.facts ->> 'purpose' as purpose, f.facts ->> 'role' as role, count(*) as many
  from entries e
 cross join lateral (select entry_facts(e.body) as facts) f
  join ledger l on l.entry = e.id
  join persons p on p.id = l.person
 where e.act = 'use:person:authorised' and e.at > :since
   and f.facts ->> 'purpose' = any (:purposes::text[])
   and not coalesce(p.standing -> 'consents' ? (f.facts ->> 'purpose'), false)
 group by 1, 2;
