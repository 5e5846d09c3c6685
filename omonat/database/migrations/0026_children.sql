-- A parent's verified consent over a child's data (K2): by which method, checked by whom; taken back, the child is closed
-- again. The row goes with the person's.
create table guardian_consents (
    id            text        primary key,
    person        text        not null references persons (id) on delete cascade,
    method        text        not null,
    reference     bytea       not null,            -- sealed under the person's evidence slot: where the proof lies
    given_at      timestamptz not null,
    checked_by    text        not null,            -- pseudonym
    withdrawn_at  timestamptz,
    entries       jsonb       not null
);
alter table guardian_consents alter column reference set statistics 0;
create unique index guardian_consents_live on guardian_consents (person) where withdrawn_at is null;
create index guardian_consents_by_person on guardian_consents (person);
comment on table guardian_consents is 'Parents'' verified consents. The place of the proof sealed, staff as pseudonyms.';
select journal_control('guardian_consents');
