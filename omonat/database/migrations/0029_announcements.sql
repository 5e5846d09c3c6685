-- Announcements, and the company's own words to many (N2, N3). What is said here is public, in three languages, and holds
-- no personal data; staff stand as pseudonyms.

create table announcements (
    id           text        primary key,
    said         jsonb,                             -- title and text by language, as people read them; null until approved
    draft        jsonb,                             -- what waits for the second person
    drafted_by   text,
    drafted_at   timestamptz,
    published_at timestamptz,
    updated_at   timestamptz,
    approved_by  text,
    entries      jsonb       not null,
    check ((said is null) = (published_at is null)),
    check ((draft is null) = (drafted_by is null)),
    check (coalesce(said, draft) is not null)
);
create index announcements_published on announcements (published_at desc) where published_at is not null;
comment on table announcements is 'What the company announces, as it stands and as it waits for approval. No personal data.';

-- Where else an announcement, or a version of the policy, was made public.
create table media_publications (
    id           text        primary key,
    announcement text        references announcements,
    version      integer     references policies,
    medium       text        not null,
    published_on date        not null,
    reference    text        not null,              -- an address, or number and page
    recorded_by  text        not null,
    recorded_at  timestamptz not null,
    entry        text        not null,
    check (num_nonnulls(announcement, version) = 1)
);
create index media_by_announcement on media_publications (announcement);
create index media_by_version on media_publications (version);
comment on table media_publications is 'Where and when something was announced in public media. No personal data.';

-- One notice to many: what is said, to whom by rule, and how far the search for them has come.
create table service_rounds (
    id          text        primary key,
    kind        text        not null check (kind in ('system-error', 'security-breach', 'service-change')),
    audience    text        not null check (audience in ('everybody', 'service', 'people', 'clients')),
    service     text,
    said        jsonb       not null,
    written_by  text        not null,
    written_at  timestamptz not null,
    approved_by text        check (approved_by <> written_by),
    approved_at timestamptz,
    reached     text        not null default '',    -- people up to this id were looked at
    searched_at timestamptz,                        -- when everybody had been looked at
    entries     jsonb       not null,
    check ((audience = 'service') = (service is not null)),
    check ((approved_at is null) = (approved_by is null))
);
create index service_rounds_open on service_rounds (approved_at) where approved_at is not null and searched_at is null;
comment on table service_rounds is 'Notices of the company''s own words to many, and how far each is. No personal data.';

create table service_notices (
    person  text        not null references persons on delete cascade,
    round   text        not null references service_rounds,
    channel text        not null check (channel in ('email', 'sms', 'center')),
    state   text        not null check (state in (
        'chosen',                                   -- named by whoever wrote it; not looked at yet
        'queued', 'handed-over', 'failed', 'waiting', 'told'  -- as in `notices`
    )),
    message text,
    at      timestamptz not null,                   -- since when it is in this state
    primary key (person, round)
) with (fillfactor = 90);
create index service_notices_chosen on service_notices (round, person) where state = 'chosen';
create index service_notices_handed_over on service_notices (at) where state = 'handed-over';
create index service_notices_failed on service_notices (at) where state = 'failed';
create index service_notices_by_message on service_notices (message) where message is not null;
create index service_notices_by_round on service_notices (round, channel, state);
comment on table service_notices is 'Who is told of a service notice, how, and whether it reached them. Removed with the person.';

create function service_notice_follows_message() returns trigger language plpgsql as $$
begin
    update service_notices set state = case new.state when 'sent' then 'handed-over' else 'failed' end, at = new.settled_at
     where message = new.id and person = new.person and state = 'queued';
    return null;
end
$$;
create trigger service_notice_follows_message after update of state on outbox for each row
    when (new.template = 'company-notice' and new.settled_at is not null and old.settled_at is null)
    execute function service_notice_follows_message();

-- An older copy must not forget what was announced, nor what two people decided to tell. How far a search came is not
-- noted: after a restore people are looked for again, rather twice than never.
select journal_control('announcements');
select journal_control('media_publications');
select journal_control('service_rounds', 'true', 'old.approved_at is distinct from new.approved_at');
