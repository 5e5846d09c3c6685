-- The root key: when it was rotated. Promises R3, S6.

-- One row a rotation, written with its evidence entry, so that a rotation finished twice is told once.
create table root_rotations (
    epoch int         primary key check (epoch > 1),
    entry text        not null,
    at    timestamptz not null
);
comment on table root_rotations is 'Rotations of the root key by epoch. No personal data, no key.';
