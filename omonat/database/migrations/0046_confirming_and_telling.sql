-- Keeping data up to date (Q1): when somebody is to be asked whether it is still right, and who outside is told of a
-- correction (GDPR, Article 19).
create table confirmations (
    person    text        primary key references persons on delete cascade,
    due_at    timestamptz not null,                 -- when to look next; what is due then the policy says
    asked_at  timestamptz,                          -- when they were last written to
    confirmed jsonb       not null default '{}',    -- by item: when they last said that it is right, or put it right
    quiet     boolean     not null default false    -- they don't want to be asked
);
create index confirmations_due on confirmations (due_at) where not quiet;
comment on table confirmations is 'Who is to be asked when whether their data is still right. Names of items and times.';

-- Who is there already is looked at once, on a day of their own within ninety, so that not everybody is written to at
-- once; what the policy doesn't ask for is forgotten then.
insert into confirmations (person, due_at)
select r.person, now() + abs(hashtext(r.person)::bigint) % (90 * 86400) * interval '1 second' from records r join persons p on p.id = r.person and p.erased_at is null group by r.person;

-- Recipients outside who got the wrong value: told like the systems of the company, of the correction and not to erase.
alter table system_notices add column kind text not null default 'system' check (kind in ('system', 'recipient'));

create table corrections_to_tell (
    erasure text        primary key references erasures,
    person  text        not null references persons on delete cascade,
    item    text        not null,
    due_at  timestamptz not null
);
create index corrections_to_tell_due on corrections_to_tell (due_at);
create index corrections_to_tell_of on corrections_to_tell (person);
comment on table corrections_to_tell is 'Corrections of which it is still to be found who outside got the wrong value.';
