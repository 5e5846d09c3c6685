-- Cookies (L7): how browsers chose, in numbers of a day, and what the site script found that nobody registered.
create table cookie_choices (
    day      date    not null,
    register text    not null,                    -- digest of the register the choice was made under
    purpose  text    not null,
    state    text    not null check (state in ('given', 'refused')),
    how      text    not null check (how in ('all', 'none', 'some', 'signal')),
    times    bigint  not null,
    primary key (day, register, purpose, state, how)
);
comment on table cookie_choices is 'Counts without a person: no id, no address, no browser.';

create table site_sightings (
    kind     text        not null check (kind in ('cookie', 'storage', 'request', 'tag', 'early')),
    name     text        not null,                -- a name or a host; what could number a person is a star
    first_at timestamptz not null,
    last_at  timestamptz not null,
    times    bigint      not null,
    primary key (kind, name)
);
comment on table site_sightings is 'Unregistered cookies, keys, hosts and tags: names only, never a value.';

-- Grants of location (L5): how long a consent lasts. The live one stands in persons.standing under `terms`.
alter table choices add column term jsonb;
comment on column choices.term is 'kind, precision, until, case: no place.';
