-- The ground: who this installation is, and who may do the work only one process may do at a time.

create table installation (
    single         boolean primary key default true check (single),
    id             text not null check (id ~ '^ins_[a-z2-7]{26}$'),
    origin         text not null,
    created_at     timestamptz not null,
    -- The policy in force, as a dense ordinal; 0 is `legacy`: nothing published yet.
    active_ordinal integer not null default 0 check (active_ordinal >= 0)
);
comment on table installation is 'One row: the name under which this installation seals and signs. No personal data.';

create table leases (
    name   text primary key,
    holder text not null,
    -- Grows with every change of holder: a writer with an older fence has lost and must not write.
    fence  bigint not null check (fence > 0),
    until  timestamptz not null
);
comment on table leases is 'Work only one process may do at a time, and until when it may. No personal data.';
