-- How business clients are told of collection and processing (N1): the procedure, the clients with the people to be told,
-- and each notice given. A company's name is no personal data; a sole trader's is their own, and lies in their record.

create table client_procedures (
    version     integer     primary key check (version > 0),
    steps       jsonb       not null,               -- on which occasion who is told what, within how many days, how
    written_by  text        not null,
    written_at  timestamptz not null,
    approved_by text        check (approved_by <> written_by),
    approved_at timestamptz,
    entries     jsonb       not null,
    check ((approved_at is null) = (approved_by is null))
);
comment on table client_procedures is 'Versions of the procedure by which business clients are told. No personal data.';

create table business_clients (
    id            text        primary key,
    name          text,                             -- a company's; a sole trader's lies in their record
    trader        text        references persons on delete cascade,
    registered_by text        not null,
    registered_at timestamptz not null,
    ended_at      timestamptz,
    entries       jsonb       not null,
    check ((name is null) = (trader is not null))
);
create index business_clients_trader on business_clients (trader);
comment on table business_clients is 'Business clients. A sole trader is a person: here stands only who.';

create table business_contacts (
    client text        not null references business_clients on delete cascade,
    person text        not null references persons on delete cascade,
    part   text        not null,                    -- what they are told about: a name of the procedure
    since  timestamptz not null,
    until  timestamptz,
    entry  text        not null,
    primary key (client, person, part)
);
create index business_contacts_by_person on business_contacts (person);
comment on table business_contacts is 'Whom to tell at a business client: people by id, like everybody else. Removed with the person.';

create table client_notices (
    id          text        primary key,
    client      text        not null references business_clients on delete cascade,
    person      text        not null references persons on delete cascade,
    procedure   integer     not null references client_procedures,
    step        text        not null,
    version     integer     not null references policies,  -- of the policy in force when it was given
    channel     text        not null,
    given_at    timestamptz not null,
    recorded_by text        not null,
    recorded_at timestamptz not null,
    entry       text        not null,
    receipt     text        not null                -- our signed word that the entry is in the log
);
create index client_notices_by_client on client_notices (client, given_at);
create index client_notices_by_person on client_notices (person);
create index client_notices_by_procedure on client_notices (procedure);
create index client_notices_by_version on client_notices (version);
comment on table client_notices is 'Which notice each contact of a business client was given, when and how. Removed with the person.';

select journal_control('client_procedures');
select journal_control('business_clients');
select journal_control('business_contacts');
select journal_control('client_notices');
