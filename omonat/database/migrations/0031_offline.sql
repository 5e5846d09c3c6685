-- Forms sealed at devices without a network (S1).
alter table clients add column device_key text;      -- public, base64url: what the device of this credential signs with

-- The public halves of the keys that forms are sealed to. The private halves are in the vault, and gone once ended_at.
create table sealing_keys (
    number   int         primary key,
    public   text        not null,                 -- base64url
    begun_at timestamptz not null,
    ended_at timestamptz,
    entries  jsonb       not null
);
comment on table sealing_keys is 'Public keys that forms are sealed to, newest last. No private key, no personal data.';

-- Which sealed forms were taken in: each once, by whatever way and however often it comes.
create table sealed_forms (
    id         text        primary key,
    device     text        not null,
    digest     bytea       not null,               -- SHA-256 of the sealed bytes
    entry      text        not null,
    taken_at   timestamptz not null,
    kept_until timestamptz not null                -- later it is too old to be taken in again
);
alter table sealed_forms alter column digest set statistics 0;
create index sealed_forms_by_end on sealed_forms (kept_until);
comment on table sealed_forms is 'Which sealed forms were taken in. No content, no person.';
