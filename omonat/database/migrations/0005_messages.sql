-- The outbox (N2, C3, U3): who is to be told what. Never where to, never in which words: the address is opened, and
-- the permission asked, at the moment of sending.

create table outbox (
    person       text not null references persons on delete cascade,
    id           text not null,
    template     text not null,
    class        text not null check (class in ('transactional', 'service', 'marketing')),
    purpose      text not null,
    channel      text not null check (channel in ('email', 'sms')),
    address_item text not null,                     -- the policy's item that holds the address
    language     text not null check (language in ('uz', 'ru', 'en')),
    case_id      text,
    once         text,                              -- writing it twice for the same person is a no-op
    facts        jsonb not null,                    -- parameters that are no personal data
    sealed       bytea,                             -- the others, under the person's key; gone once settled
    created_at   timestamptz not null,
    expires_at   timestamptz,                       -- not worth sending from then on
    state        text not null default 'waiting' check (state in (
        'waiting',                                  -- to be sent at due_at
        'claimed',                                  -- a worker has it until due_at; nothing was handed over yet
        'handing-over',                             -- a worker talks to the relay or gateway, until due_at at the latest
        'sent',                                     -- the relay or gateway has taken it over
        'refused',                                  -- the policy said no when the permission was asked
        'failed',                                   -- it can't be delivered, or every attempt failed
        'expired',                                  -- its time passed before it could be sent
        'uncertain'                                 -- the hand-over was cut: perhaps sent, and not sent again
    )),
    attempts     smallint not null default 0,
    due_at       timestamptz not null,              -- when the row is to be looked at next
    claim        text,                              -- whose it is: a late worker finds another claim here
    settled_at   timestamptz,
    code         text,                              -- why it was refused, failed or put off
    primary key (person, id)
) with (fillfactor = 70);
alter table outbox alter column sealed set statistics 0;

create unique index outbox_once on outbox (person, once) where once is not null;

-- Transactional before service before marketing: a campaign never stands in the way of a sign-in code.
create index outbox_due on outbox (class desc, due_at) where state in ('waiting', 'claimed', 'handing-over');
create index outbox_handing_over on outbox (due_at) where state = 'handing-over';
create index outbox_settled on outbox (settled_at) where settled_at is not null;
