-- Campaigns (U5, U8, C3): one text for many, each of whom said yes to it. Who gets it is nowhere but in the outbox.

create table campaigns (
    id         text        primary key,
    name       text        not null unique,          -- how people speak of it; a second one of a name is refused
    purpose    text        not null,
    channel    text        not null check (channel in ('email', 'sms')),
    texts      jsonb       not null,                 -- subject, text, short translations by language: public words
    state      text        not null default 'planned' check (state in (
        'planned',                                   -- counted; nothing is written to anybody
        'approved',                                  -- a second person agreed to it; still nothing is written
        'running',                                   -- its letters are being written, or are on their way
        'stopped',                                   -- nothing of it is handed over any more
        'done'                                       -- each of its letters has ended
    )),
    counted    jsonb       not null,                 -- how many people, by what the rule said when it was planned
    outcome    jsonb,                                -- how many letters, by how they ended: kept when those are gone
    reached    text        not null default '',      -- people up to this id have their letter
    searched   boolean     not null default false,
    planned_at timestamptz not null,
    approved_at timestamptz,
    started_at timestamptz,
    ended_at   timestamptz,
    planned_by text        not null,                 -- pseudonyms of staff
    approved_by text,
    started_by text,
    entry      text        not null,
    -- Four eyes: what runs was agreed to by somebody who did not write it.
    check (approved_by is distinct from planned_by),
    check ((approved_at is null) = (approved_by is null)),
    check (started_at is null or approved_at is not null)
);
create index campaigns_at_work on campaigns (id) where state in ('running', 'stopped');
comment on table campaigns is 'What many are told by their consent, and how far that is.';

-- The letters of a campaign: `once` in the outbox is unique by person, so nobody has two of one campaign.
create index outbox_campaign on outbox (once, state) where once like 'campaign:%';

-- Why somebody gets no letter of a purpose, or 'permitted'. This counts and chooses; the rule of use decides anew, for
-- each, at the moment their letter leaves. `since` is the version from which the purpose has the item for us.
create function campaign_verdict(p persons, purpose text, item text, category text, since integer) returns text
language sql stable as $$
select case
    when p.erased_at is not null then 'person-erased'
    when p.quarantined_at is not null then 'person-quarantined'
    when p.restricted_at is not null then 'person-restricted'
    when coalesce(p.standing -> 'withdrawn' ? purpose, false) then 'consent-withdrawn'
    when not coalesce(p.standing -> 'consents' ? purpose, false) then 'no-consent'
    when coalesce(p.standing -> 'doubt' ? purpose, false) or coalesce(p.standing -> 'terms' ? purpose, false)
        then 'consent-doubtful'
    when coalesce(p.standing -> 'objections' ? purpose, false) then 'objected'
    when not exists (select from lookups l where l.person = p.id and l.item = $3) then 'not-held'
    when not exists (
        select from records r join sections s on s.record = r.id and s.category = $4
         where r.person = p.id
           and (r.version >= $5
                or ($5 <= p.told and $5 <= coalesce((p.standing -> 'agreed' ->> $2)::integer, 0))))
        then 'not-told-yet'
    else 'permitted'
end
$$;
