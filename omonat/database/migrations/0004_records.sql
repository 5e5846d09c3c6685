-- Cases, records and choices. Promises L3, C1, C4, P2, R1, S4.

create table cases (
    id        text primary key,                     -- kind:reference, as the source system names it
    kind      text not null,
    service   text not null,
    person    text references persons on delete set null,
    opened_by text not null references clients,
    opened_at timestamptz not null,
    closed_at timestamptz,
    assigned  text[] not null default '{}',         -- staff refs
    anchors   jsonb not null default '{}'           -- named events and their instants, for retention
);
create index cases_by_person on cases (person);
create index cases_open_by_kind on cases (kind, opened_at) where closed_at is null;
create index cases_by_assigned on cases using gin (assigned) where closed_at is null;

-- A record: person × service × case? × policy version; its sections hold the sealed items, one per category.
create table records (
    id           text primary key,
    person       text not null references persons,
    service      text not null,
    case_id      text references cases,
    version      integer not null,                  -- ordinal of the policy shown when collected (C4)
    slot         bigint not null unique,
    source       text not null,
    collected_at timestamptz not null,
    due_at       timestamptz,                       -- the sweeper's index only; the read computes what is due (R3)
    due_under    integer,                           -- policy ordinal due_at was computed under
    anchors      jsonb
);
create index records_by_person on records (person, collected_at desc);
create index records_by_case on records (case_id);
create index records_by_due on records (due_at);

create table sections (
    record       text not null references records on delete cascade,
    category     text not null,
    person       text not null,
    collected_at timestamptz not null,
    sealed       bytea not null,
    primary key (record, category)
);
create index sections_newest on sections (person, category, collected_at desc);
alter table sections alter column sealed set statistics 0;
alter table sections alter column sealed set storage external;

-- Everything a person chose, append-only: consents, objections, restrictions, acceptances (C2, C4, P4).
create table choices (
    id      text primary key,
    person  text not null references persons on delete cascade,
    kind    text not null,                          -- consent, objection, restriction, acceptance
    purpose text not null default '',
    channel text not null default '',
    state   text not null,                          -- given, withdrawn
    at      timestamptz not null,
    version integer not null,                       -- policy ordinal whose words were shown
    door    text not null,                          -- where: site, center, mail, api
    entry   text not null                           -- evidence entry
);
create index choices_by_person on choices (person, at);

create table tellings (
    person  text not null references persons on delete cascade,
    version integer not null,
    channel text not null,
    at      timestamptz not null,
    entry   text not null,
    primary key (person, version, channel)
);

-- What no rule could decide: one open item per rule, person and missing fact.
create table work_items (
    id        text primary key,
    rule      text not null,
    person    text,
    missing   text not null,
    opened_at timestamptz not null,
    closed_at timestamptz
);
create unique index work_items_open on work_items (rule, coalesce(person, ''), missing) where closed_at is null;

-- Keyed writes done once: only keyed digests of key and request, and an answer that holds ids alone.
create table idempotency (
    client  text not null references clients,
    key     bytea not null,
    request bytea not null,
    answer  jsonb not null,
    at      timestamptz not null,
    primary key (client, key)
);
create index idempotency_by_age on idempotency (at);
