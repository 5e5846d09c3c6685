-- Anonymous demographics (L4): one counter per week, question and answer, in a table that nothing refers to.
create table demographics (
    week     date   not null check (extract(isodow from week) = 1),
    question text   not null,
    answer   text   not null,
    times    bigint not null check (times > 0),
    primary key (week, question, answer)
);
comment on table demographics is 'Counts without a person: no id, no address, no time finer than a week, no two answers together.';
