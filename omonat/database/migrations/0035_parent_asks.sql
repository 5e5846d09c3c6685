-- A parent who is written to for consent (K2): by which method, where to, until when, and what came of it. The address is
-- sealed under the child's own slot and dies with it. The row goes with the person's.
create table parent_asks (
    id           text        primary key,
    person       text        not null references persons (id) on delete cascade,
    method       text        not null,
    channel      text        not null,             -- the policy's item: a phone or an e-mail
    address      bytea       not null,             -- sealed
    born         bytea,                            -- the child's birth date, sealed
    language     text        not null,
    asked_by     text        not null,             -- pseudonym
    asked_at     timestamptz not null,
    over_at      timestamptz not null,             -- unanswered, or unconfirmed, it is over
    answered_at  timestamptz,
    confirm_from timestamptz,                      -- the second message goes, and may be answered, from here on
    notice       bytea,                            -- what was shown to a parent who went to pay, as a digest
    total        bigint,                           -- what they were asked to pay, in tiyin
    consent      text,                             -- the consent that came of it
    ended_at     timestamptz,
    ended_as     text check (ended_as in ('refused', 'stopped')),
    entries      jsonb       not null
);
alter table parent_asks alter column address set statistics 0;
alter table parent_asks alter column born set statistics 0;
alter table parent_asks alter column notice set statistics 0;
create index parent_asks_by_person on parent_asks (person, asked_at);
comment on table parent_asks is 'Parents who were written to for consent. Address and birth date sealed, staff as pseudonyms.';
select journal_control('parent_asks');

-- What the payment provider reported: each payment counts once, for one question. Nothing of a card or an account.
create table parent_payments (
    id          text        primary key,           -- the provider's number
    ask         text        not null,
    person      text        not null references persons (id) on delete cascade,
    reported_at timestamptz not null,
    refunded_at timestamptz,
    entries     jsonb       not null
);
create index parent_payments_by_person on parent_payments (person);
comment on table parent_payments is 'Payments of parents who were asked for consent, by the provider''s number.';
select journal_control('parent_payments');
