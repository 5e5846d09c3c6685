-- What people do by themselves in the Privacy Center (R3): an erasure ends the session that asked for it, so its receipt
-- stands at an address of its own, for whoever has that address, for some weeks. Nothing here tells whose it is.
create table erasure_receipts (
    token   bytea primary key,                    -- keyed digest of 256 random bits
    erasure text not null references erasures on delete cascade,
    until   timestamptz not null
);
create index erasure_receipts_by_until on erasure_receipts (until);
create index erasure_receipts_by_erasure on erasure_receipts (erasure);
alter table erasure_receipts alter column token set statistics 0;
comment on table erasure_receipts is 'Where the receipt of an erasure is shown, for some weeks. Digests and ids only.';
