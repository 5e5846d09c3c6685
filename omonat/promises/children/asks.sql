-- name: add_ask!
insert into parent_asks (id, person, method, channel, address, born, language, asked_by, asked_at, over_at, entries)
values (:id, :person, :method, :channel, :address, :born, :language, :by, :now, :over, :entries::jsonb);

-- name: ask^
-- One of them; `stands`: the consent that came of it does.
select a.*, p.slot, p.quarantined_at, p.erased_at, coalesce(g.withdrawn_at is null and g.id is not null, false) as stands
  from parent_asks a join persons p on p.id = a.person
  left join guardian_consents g on g.id = a.consent
 where a.id = :id;

-- name: standing_ask^
-- The question whose answer is the consent that stands over a child's data.
select a.id, a.channel, a.address, a.language, a.consent
  from parent_asks a join guardian_consents g on g.id = a.consent
 where a.person = :person and g.scope = 'data' and g.withdrawn_at is null;

-- name: hold_ask^
-- One of them, held until the transaction ends; the child's row is locked first, always.
select id from parent_asks where id = :id for update;

-- name: answer_ask$
-- The parent's first yes; nothing when it was given before.
update parent_asks set answered_at = :now, confirm_from = :begins, over_at = :over, entries = entries || :entries::jsonb
 where id = :id and answered_at is null and ended_at is null and consent is null and over_at > :now returning id;

-- name: consent_ask$
-- What was confirmed; nothing when it was before.
update parent_asks set consent = :consent, entries = entries || :entries::jsonb
 where id = :id and consent is null and ended_at is null and confirm_from <= :now and over_at > :now returning id;

-- name: show_notice$
-- What a parent was shown who goes to pay; shown anew, the last one counts. Nothing when it was too often.
update parent_asks set answered_at = :now, notice = :notice, total = :total, shown = shown + 1,
       entries = entries || :entries::jsonb
 where id = :id and shown < :most and ended_at is null and consent is null and over_at > :now returning id;

-- name: payment^
-- A payment that was reported before.
select id, ask, refunded_at from parent_payments where id = :id;

-- name: add_payment$
-- A payment, once; nothing when it was reported before.
insert into parent_payments (id, ask, person, reported_at, refunded_at, entries)
values (:id, :ask, :person, :now, :refunded, :entries::jsonb) on conflict (id) do nothing returning id;

-- name: refund!
update parent_payments set refunded_at = :now, entries = entries || :entries::jsonb where id = :id;

-- name: pay_ask$
-- What was paid for; nothing when it was before.
update parent_asks set consent = :consent, entries = entries || :entries::jsonb
 where id = :id and consent is null and ended_at is null and over_at > :now returning id;

-- name: end_ask$
-- Over: where the parent is reached is of no use any more.
update parent_asks set ended_at = :now, ended_as = :ended_as, address = null, born = null,
       entries = entries || :entries::jsonb
 where id = :id and consent is null and ended_at is null returning id;

-- name: call_back!
-- Messages of a question that haven't begun are not sent any more; one that has begun is not tried again. The person's
-- row is held: none begins meanwhile.
with begun as (
    update outbox set expires_at = :now
     where person = :person and once = any(:once::text[]) and state = 'handing-over'
)
delete from outbox where person = :person and once = any(:once::text[]) and state in ('waiting', 'claimed');

-- name: end_asks!
-- Nobody is asked about this person any more, and what was agreed to is taken back: no address is of use.
update parent_asks
   set address = null, born = null,
       ended_at = case when open then :now else ended_at end, ended_as = case when open then 'stopped' else ended_as end,
       entries = case when open then entries || :entries::jsonb else entries end
  from (select id as this, consent is null and ended_at is null and over_at > :now as open
          from parent_asks where person = :person) each
 where id = this and (open or address is not null);

-- name: forget_addresses
-- Addresses of questions that nobody answered in time, a batch of them.
update parent_asks set address = null, born = null where id = any (array(
    select id from parent_asks where consent is null and address is not null and over_at <= :now
     order by over_at limit :most for update skip locked
)) returning id;

-- name: call_all_back!
-- As above, of every question about this person.
with begun as (
    update outbox set expires_at = :now
     where person = :person and template in ('parent-ask', 'parent-confirm', 'parent-pay', 'parent-overtaken') and state = 'handing-over'
)
delete from outbox where person = :person and state in ('waiting', 'claimed')
   and template in ('parent-ask', 'parent-confirm', 'parent-pay', 'parent-overtaken');

-- name: call_news_back!
-- A parent agreed anew: that a consent had ended is no news any more, and what has begun is not tried again.
with begun as (
    update outbox set expires_at = :now
     where person = :person and template = 'parent-overtaken' and state = 'handing-over'
)
delete from outbox where person = :person and template = 'parent-overtaken' and state in ('waiting', 'claimed');

-- name: asks_of
-- Those about a child, the newest first.
select a.id, a.method, a.channel, a.asked_at, a.over_at, a.answered_at, a.confirm_from, a.consent, a.ended_at,
       a.ended_as, coalesce(g.withdrawn_at is null and g.id is not null, false) as stands
  from parent_asks a left join guardian_consents g on g.id = a.consent
 where a.person = :person order by a.asked_at desc limit 20;

-- name: held_of^
-- What is held of a child, by its kind alone: the services that collected it and the categories of its sections.
select array(select distinct r.service from records r where r.person = :person) as services,
       array(select distinct s.category from sections s where s.person = :person) as categories;

-- name: is_childs$
-- Whether an address is one of the child's own, under whichever item they gave it.
select exists (select from lookups where person = :person and digest = any(:digests::bytea[]));
