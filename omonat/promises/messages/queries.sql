-- name: put_message$
-- Writes a message; nothing when one with the same `once` is there for this person already.
insert into outbox (
    person, id, template, class, purpose, channel, address_item, language, case_id, once, facts, sealed,
    due_at, expires_at, created_at
) values (
    :person, :id, :template, :message_class, :purpose, :channel, :address_item, :language, :case_id, :once, :facts,
    :sealed, :due, :expires, :now
)
on conflict (person, once) where once is not null do nothing
returning id;

-- name: put_messages!
-- Writes many messages that have nothing to seal; as above.
insert into outbox (
    person, id, template, class, purpose, channel, address_item, language, once, facts, expires_at, due_at,
    created_at
)
select q.person, q.id, q.template, q.class, q.purpose, q.channel, q.item, q.language, q.once, q.facts, q.expires,
       :now, :now
  from unnest(:ids::text[], :people::text[], :templates::text[], :classes::text[], :purposes::text[], :channels::text[],
              :items::text[], :languages::text[], :once::text[], :facts::jsonb[], :expires::timestamptz[])
       as q(id, person, template, class, purpose, channel, item, language, once, facts, expires)
on conflict (person, once) where once is not null do nothing;

-- name: under_way$
-- Whether a message to a person, of one purpose or of any, is with a carrier at this moment.
select exists (
    select from outbox
    where person = :person and state = 'handing-over' and due_at > :now and (:purpose = '' or purpose = :purpose)
);

-- name: forget_messages$
-- Removes every message of a person: part of sweeping after an erasure.
with gone as (delete from outbox where person = :person returning 1)
select count(*) from gone;
