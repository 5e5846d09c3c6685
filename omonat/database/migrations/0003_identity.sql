-- People, the ways to find them, and those who act: systems (clients) and staff. Promises S4, Q1, B2.
-- No value of personal data stands here in the clear: only random ids, slot numbers, keyed digests, sealed bytes.

create table persons (
    id             text primary key,
    slot           bigint not null unique,          -- key slot of the person's secret, in the key file
    evidence_slot  bigint not null unique,          -- key slot of the salts of this person's evidence
    language       text not null,
    told           integer not null default 0,      -- newest policy ordinal this person was told of; contiguous (P2)
    standing       jsonb,                           -- live choices, projected from `choices`; null when there are none
    restricted_at  timestamptz,
    quarantined_at timestamptz,
    erased_at      timestamptz,
    created_at     timestamptz not null
);

create table lookups (
    person      text not null references persons on delete cascade,
    item        text not null,                      -- contact.mobile, contact.email, …
    epoch       integer not null,                   -- of the lookup key
    digest      bytea not null,                     -- keyed digest of the normalised value
    since       timestamptz not null,
    verified_at timestamptz,                        -- control of the channel proved (Q1)
    primary key (digest, item, person)
);
create index lookups_by_person on lookups (person);

create table clients (
    id         text primary key,                    -- the public half of omk_<id>_<secret>
    name       text not null unique,
    source     text not null,                       -- site, panel, call-centre … : where its data comes from (T2)
    roles      text[] not null,
    secret     bytea not null,                      -- SHA-256 of a 256-bit secret
    until      timestamptz not null default 'infinity',
    created_at timestamptz not null
);

create table staff (
    id            text primary key,
    ref           text not null unique,             -- the employee number source systems use
    role          text not null,
    role_until    timestamptz not null default 'infinity',
    trained_until timestamptz not null,             -- training lapses, access with it (B2)
    login         bytea unique,                     -- keyed digest of the sign-in name
    profile       bytea not null,                   -- sealed: name, sign-in name
    password      bytea,                            -- sealed argon2id, verify-only
    totp          bytea,                            -- sealed secret
    totp_step     bigint not null default 0,        -- last step used: a code opens once
    failures      integer not null default 0,
    locked_until  timestamptz,
    created_at    timestamptz not null
);

-- How much each staff member used in the running hour and day; counted before release (S4).
create table staff_usage (
    staff  text not null,                           -- staff ref, or the client that acts in a human role
    kind   text not null,                           -- use, lookup
    window_start timestamptz not null,
    window_length interval not null,
    taken  integer not null,
    primary key (staff, kind, window_length, window_start)
);

create table web_sessions (
    id       bytea primary key,                     -- keyed digest of the cookie
    door     text not null,                         -- me, desk
    holder   text not null,                         -- person or staff id
    created_at timestamptz not null,
    until    timestamptz not null,
    state    bytea                                  -- sealed, small
);
create index web_sessions_by_holder on web_sessions (holder);

create table sign_in_codes (
    id         text primary key,
    door       text not null,
    item       text not null,                       -- contact.mobile or contact.email
    digest     bytea not null,                      -- lookup digest of the channel
    code       bytea not null,                      -- keyed digest of the code
    attempts   integer not null default 0,
    created_at timestamptz not null,
    until      timestamptz not null,
    used_at    timestamptz
);
create index sign_in_codes_by_until on sign_in_codes (until);
