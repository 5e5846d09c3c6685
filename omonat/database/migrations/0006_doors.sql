-- Rate limits of the doors: rows changed in one statement, shared by all workers. Keys are keyed digests.
create unlogged table rates (
    key          bytea not null,
    window_start timestamptz not null,
    taken        integer not null,
    primary key (key, window_start)
);
create index rates_by_age on rates (window_start);
