-- Requests and complaints. Promises A2, Q2, C2. What was asked and answered lies sealed in records of the case; here
-- stands only how far it is. The row goes when nobody is tied to its case any more.
create table requests (
    number      text primary key,                   -- printed on the receipt; the case is kind:number
    case_id     text not null unique references cases on delete cascade,
    kind        text not null check (kind in (
        'complaint', 'question', 'access', 'correction', 'deletion', 'objection'
    )),
    state       text not null check (state in (
        'received',                                 -- here; waits for its code where the kind needs a proved channel
        'confirmed',                                -- whoever asked has the channel they named
        'claimed',                                  -- one member of staff has it
        'answered',                                 -- the answer can be read
        'closed',                                   -- with an outcome; or never confirmed, or erased
        'reopened'                                  -- the answer did not settle it
    )),
    door        text not null check (door in ('site', 'privacy-center', 'api')),
    form        bytea unique,                       -- keyed digest of the form's random name: sent twice, it is one request
    channel     text,                               -- the item that holds the address to answer to; null: none given
    needs_proof boolean not null,
    proved_at   timestamptz,
    proof       bytea,                              -- keyed digest of the code sent to the channel, while it may be tried
    proof_until timestamptz,
    proof_tries smallint not null default 0,
    received_at timestamptz not null,
    due_at      timestamptz not null,               -- by the deadline of the law packs
    claimed_by  text,                               -- staff
    claimed_at  timestamptz,
    answered_at timestamptz,
    closed_at   timestamptz,
    outcome     text check (outcome in ('upheld', 'partly', 'rejected', 'done', 'never-confirmed', 'erased')),
    reason      text,                               -- why rejected: a name, never words about somebody
    reopened    smallint not null default 0,
    check ((state = 'claimed') <= (claimed_by is not null)),
    check ((outcome = 'rejected') <= (reason is not null))
);
create index requests_open on requests (due_at) where state <> 'closed';
create index requests_settled on requests (answered_at) where state = 'answered';
alter table requests alter column proof set statistics 0;
alter table requests alter column form  set statistics 0;
comment on table requests is 'How far each request and complaint is. No personal data: text, contact and answer are records.';
