-- Notices of a new version (P2, N2): who is told what is new, by which way, and whether it reached them.

-- A version with something new, and how far the search for those it concerns has come.
create table notice_rounds (
    version   integer     primary key references policies,
    begun_at  timestamptz not null,
    reached   text        not null default '',       -- people up to this id were looked at in the pass under way
    looked_at timestamptz,                           -- when the last whole pass ended
    entry     text        not null
);
comment on table notice_rounds is 'Versions people are told of, and how far the search has come.';

-- One notice: a person, the version it tells of, and the version they had been told of before.
create table notices (
    person  text        not null references persons on delete cascade,
    version integer     not null,
    since   integer     not null,
    channel text        not null check (channel in ('email', 'sms', 'center')),
    state   text        not null check (state in (
        'queued',                                   -- its message is in the outbox
        'handed-over',                              -- the relay or gateway took it, and may still give it back
        'failed',                                   -- it didn't go, or came back: the next way is to be taken
        'waiting',                                  -- lies in the Privacy Center until it is seen
        'told'
    )),
    message text,                                   -- the message in the outbox
    at      timestamptz not null,                   -- since when it is in this state
    primary key (person, version)
);
create index notices_handed_over on notices (at) where state = 'handed-over';
create index notices_failed on notices (at) where state = 'failed';
create index notices_by_message on notices (message) where message is not null;
create index notices_by_version on notices (version, state);
comment on table notices is 'Who is told of a new version, how, and whether it reached them. Removed with the person.';

-- What became of its message is a notice's state in the same transaction: no crash can part the two.
create function notice_follows_message() returns trigger language plpgsql as $$
begin
    update notices set state = case new.state when 'sent' then 'handed-over' else 'failed' end, at = new.settled_at
     where message = new.id and person = new.person and state = 'queued';
    return null;
end
$$;
create trigger notice_follows_message after update of state on outbox for each row
    when (new.template = 'policy-changed' and new.settled_at is not null and old.settled_at is null)
    execute function notice_follows_message();
