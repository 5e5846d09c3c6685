-- The mailbox that reads (C3, L6, A2): addresses not to be written to, letters taken in before, requests that came by mail.

-- An address that left, was complained from or gave a letter back. Never the address: a digest under a key of the vault,
-- so that one nobody here knows is honoured as well, whoever collects it later.
create table suppressions (
    digest bytea       not null,
    reason text        not null check (reason in (
        'left',                                     -- asked for no more advertising
        'complained',                               -- called a letter of ours spam
        'bounced'                                   -- the mailbox isn't there, says its server
    )),
    at     timestamptz not null,
    entry  text        not null,
    primary key (digest, reason)
);
alter table suppressions alter column digest set statistics 0;
comment on table suppressions is 'Addresses not written to, as keyed digests. Kept as long as the installation.';
select journal_control('suppressions');

-- Letters taken in: a mail server that didn't hear our answer hands the same one over again.
create table letters_taken (
    digest bytea       primary key,
    at     timestamptz not null
);
alter table letters_taken alter column digest set statistics 0;
create index letters_taken_at on letters_taken (at);
comment on table letters_taken is 'Keyed digests of letters that came in, for ten days. No personal data.';

-- Where a message went: what comes back is believed about that address and no other.
alter table outbox add column sent_to bytea;
alter table outbox alter column sent_to set statistics 0;
create index outbox_sent on outbox (id) where sent_to is not null;

alter table requests drop constraint requests_door_check;
alter table requests add constraint requests_door_check check (door in ('site', 'privacy-center', 'api', 'mailbox'));
