-- A contact of a business client confirms that a notice reached them (N1); notices to many may be for clients (N2).

alter table client_notices
    add column acknowledged_at timestamptz,
    add column acknowledgement text,                -- the entry that says so
    add constraint client_notices_acknowledged check ((acknowledged_at is null) = (acknowledgement is null));
create unique index client_notices_by_entry on client_notices (entry);
