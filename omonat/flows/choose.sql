-- name: person_to_choose^
-- A person's standing and the policy in force, locked until the transaction ends: nothing is decided on it in between
-- (I2).
select p.id, p.evidence_slot, p.standing, p.restricted_at, p.quarantined_at is not null as closed,
       exists (select from guardian_consents g
                where g.person = p.id and g.scope = 'data' and g.withdrawn_at is null) as guarded,
       (select active_ordinal from installation) as ordinal
  from persons p where p.id = :id and p.erased_at is null for no key update of p;

-- name: people_to_choose
-- The same of many people; without those whom somebody else holds, so that no one waits for another's sake.
select p.id, p.evidence_slot, p.standing, p.restricted_at, p.quarantined_at is not null as closed,
       coalesce((select true from guardian_consents g
                  where g.person = p.id and g.scope = 'data' and g.withdrawn_at is null limit 1), false) as guarded,
       (select active_ordinal from installation) as ordinal
  from persons p where p.id = any(:ids::text[]) and p.erased_at is null for no key update of p skip locked;

-- name: write_choices
-- Choices, one of a person, never changed afterwards (I7); what holds since; whose records are kept by something else
-- now; each with its entry, and the person's line of the ledger; and to which of the people a message of that purpose,
-- or of any, is being handed over. A hand-over begins under the same lock, so none that isn't seen here begins under the
-- choice before.
with moment as (select pg_current_xact_id()::text::bigint as txid),
chosen as (
    select * from unnest(
        :ids::text[], :people::text[], :kinds::text[], :purposes::text[], :channels::text[], :states::text[],
        :versions::int[], :doors::text[], :entries::text[], :terms::jsonb[], :standings::jsonb[],
        :restricted::timestamptz[], :reckonings::text[], :letters::text[], :acts::text[], :bodies::bytea[], :leaves::bytea[]
    ) as c(id, person, kind, purpose, channel, state, version, door, entry, term, standing, restricted_at, reckoning,
           letters, act, body, leaf)
),
noted as (
    insert into entries (txid, id, at, act, body, leaf)
    select moment.txid, entry, :now::timestamptz, act, body, leaf from moment, chosen
),
listed as (
    insert into ledger (person, at, entry, txid) select person, :now::timestamptz, entry, moment.txid from moment, chosen
),
stands as (
    update persons p set standing = c.standing, restricted_at = c.restricted_at from chosen c where p.id = c.person
),
moved as (
    insert into reckonings (id, scope, target, at)
    select reckoning, 'person', person, :now::timestamptz from chosen where reckoning is not null
),
written as (
    insert into choices (id, person, kind, purpose, channel, state, at, version, door, entry, term)
    select id, person, kind, purpose, channel, state, :now::timestamptz, version, door, entry, term from chosen
)
select person from chosen c
 where c.letters is not null
   and exists (select from outbox o
                where o.person = c.person and o.state = 'handing-over' and o.due_at > :now::timestamptz
                  and (c.letters = '' or o.purpose = c.letters));
