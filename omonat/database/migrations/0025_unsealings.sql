-- Which unsealings have their entry (S2, S6): whoever notes one twice, after a crash or from two processes, writes one.
create table unsealings (
    entry text primary key,
    at    timestamptz not null
);
comment on table unsealings is 'Unsealings of the house by their evidence entry. No personal data, no key.';
