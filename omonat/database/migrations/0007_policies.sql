-- Published versions of the policy (P1). Ordinals are dense: 1, 2, 3 …; 0 stands for data from before (`legacy`).
create table policies (
    ordinal      integer primary key check (ordinal > 0),
    version      text not null unique,
    digest       text not null,
    document     text not null,                     -- as its author wrote it
    typed        text not null,                     -- as it was read: JSON, ten times faster to read again
    packs        jsonb not null,                    -- the packs it was compiled with, as documents
    author       text not null,
    approver     text not null check (approver <> author),
    effective    timestamptz not null,
    published_at timestamptz not null
);
