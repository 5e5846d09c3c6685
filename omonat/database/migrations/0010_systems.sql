-- Other systems of the company that hold copies (R3): told of each erasure that concerns them, until they say it is done.
create table system_notices (
    erasure         text not null references erasures,
    system          text not null,                -- as the policy names it
    erases          text not null check (erases in ('webhook', 'by-hand', 'api')),
    about           jsonb not null,               -- person and case ids, names of items: no values
    state           text not null check (state in ('waiting', 'sent', 'acknowledged')),
    attempts        integer not null default 0,
    due_at          timestamptz not null,         -- when it is to be told again
    created_at      timestamptz not null,
    sent_at         timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    entry           text,                         -- the evidence of the acknowledgement
    primary key (erasure, system)
);
create index system_notices_due on system_notices (due_at) where state <> 'acknowledged' and erases = 'webhook';
comment on table system_notices is 'Who else must erase, and whether they said so. Ids and names only.';
