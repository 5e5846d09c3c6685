-- Retention, erasure and holds (R1, R2, R3, K2). Nothing here is a value of personal data: ids, slot numbers, names of
-- the policy's items, instants, and words sealed by the vault.

alter table persons
    -- Erased, but something of theirs must stay: only duties and open contracts reach it (R2).
    add column remains boolean not null default false,
    -- When the salts of this person's evidence are destroyed: proof outlives the person, for a while.
    add column evidence_due_at timestamptz;
create index persons_by_evidence_due on persons (evidence_due_at) where evidence_due_at is not null;
create index persons_quarantined on persons (quarantined_at) where quarantined_at is not null and erased_at is null;

-- The erasure that sealed this record anew because a duty keeps part of it.
alter table records add column kept_by text;

-- Every destruction of keys, whoever asked for it: first the intent, then each stage with its time. A row is written
-- in the transaction that hides the data, together with its evidence entry.
create table erasures (
    id            text primary key,
    scope         text not null check (scope in ('person', 'record', 'items', 'due', 'evidence')),
    cause         text not null check (cause in ('asked', 'inaccurate', 'child', 'due')),
    person        text,                           -- no reference: the row outlives the person; emptied with the evidence
    record        text,
    items         text[] not null default '{}',
    asked_by      text not null,                  -- a client, a staff pseudonym, `person`, or `sweeper`
    policy        integer not null,
    counted       integer not null default 0,     -- records that lost something
    slots         bigint[] not null,              -- the keys to destroy
    seal          bytea not null,                 -- keyed digest of id and slots: the database alone can't doom a key
    new_slot      bigint,                         -- a person's: under it lies what must stay
    after         text not null default '',       -- how far a long step has come
    stays         jsonb not null default '[]',    -- what stays, why and until when: names and instants
    lookup_epoch  integer,                        -- the digests of erased channels end with this epoch; null: there are none
    copies        integer,                        -- on how many copies of the slots the keys were destroyed
    hidden_at     timestamptz not null,
    sealed_at     timestamptz,                    -- what must stay is under new keys
    destroyed_at  timestamptz,
    swept_at      timestamptz,
    final_at      timestamptz,
    entries       jsonb not null                  -- stage to evidence entry
);
create index erasures_under_way on erasures (hidden_at) where swept_at is null;
create index erasures_not_final on erasures (lookup_epoch) where swept_at is not null and final_at is null;
create index erasures_by_person on erasures (person, hidden_at) where person is not null;
comment on table erasures is 'Erasures and sweeps with their stages. Person ids until the end of their evidence.';

-- Records whose due instants have to be reckoned anew, in the background: the read needs none of this.
create table reckonings (
    id     text primary key,
    scope  text not null check (scope in ('case', 'person', 'policy')),
    target text not null,                         -- the case, the person, or the policy's ordinal
    after  text not null default '',              -- the last record reckoned
    at     timestamptz not null
);
create index reckonings_by_age on reckonings (at);
comment on table reckonings is 'Work of the sweeper: gone once done. Ids only.';

-- What the sweeper knows of time and policy.
create table retention_state (
    single          boolean primary key default true check (single),
    seen            timestamptz not null,         -- the latest time that was believed
    doubted_at      timestamptz,                  -- since when the clock is not believed
    reckoned_under  integer not null default 0,   -- the policy ordinal the index is made under
    -- A change of the look-up key under way: since when, how far, and when the pass began that found nothing left.
    lookups_since   timestamptz,
    lookups_after   text not null default '',
    lookups_left    boolean not null default true
);
comment on table retention_state is 'One row: the sweeper''s own memory. No personal data.';

-- Legal holds (R2): suspend deletion, with authority and review date.
create table holds (
    id          text primary key,
    scope       text not null check (scope in ('person', 'case', 'record')),
    target      text not null,
    items       text[] not null default '{}',     -- items or categories; none: everything
    authority   bytea not null,                   -- sealed: who ordered it, under which number
    may_tell    boolean not null,                 -- whether the person may be told
    review_at   timestamptz not null,
    placed_at   timestamptz not null,
    placed_by   text not null,                    -- staff pseudonyms: it takes two different people
    approved_at timestamptz,                      -- until then it holds for a few days only
    approved_by text check (approved_by <> placed_by),
    ending_by   text,                             -- who asked for the end
    released_at timestamptz,
    released_by text check (released_by <> ending_by),
    entries     jsonb not null
);
create index holds_on_target on holds (target) where released_at is null;
create index holds_by_review on holds (review_at) where released_at is null;
comment on table holds is 'Legal holds. Authority sealed, staff as pseudonyms.';

-- What hangs on a person is found from the person, or from how they are found.
create index sign_in_codes_by_digest on sign_in_codes (digest);
create index work_items_by_person on work_items (person) where person is not null;
create index erasures_by_record on erasures (record, hidden_at) where record is not null;

-- While the look-up key is changed, a channel has a digest under the old key as well.
alter table sign_in_codes add column older bytea;
