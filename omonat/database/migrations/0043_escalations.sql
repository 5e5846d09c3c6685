-- Requests near their deadline or past it go up to the role that owns A2, once per step and deadline. Promise A2.
alter table requests add column runs_from timestamptz;
comment on column requests.runs_from is 'Since when the deadline in due_at runs, where that is not since it was received.';

create table escalations (
    number     text        not null references requests on delete cascade,
    due_at     timestamptz not null,               -- the deadline it is about; taken up again, a request has another
    step       text        not null check (step in ('near', 'overdue')),
    role       text        not null,               -- who was told, as the policy of that moment had it
    at         timestamptz not null,
    letter     text        not null check (letter in (
        'none',                                    -- the policy names no mailbox
        'waiting',
        'handing-over',                            -- a worker hands it over, or died doing so
        'sent',
        'failed'
    )),
    letter_due timestamptz not null,               -- when to try; while it is handed over, when that has surely ended
    attempts   smallint    not null default 0,
    primary key (number, due_at, step)
);
create index escalations_letters on escalations (letter_due) where letter in ('waiting', 'handing-over');
comment on table escalations is 'What went up to management, and its letter. No personal data: numbers, steps and times.';
