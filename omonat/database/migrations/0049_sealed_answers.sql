-- Answers kept for a repeated request are sealed: some hold words, like those of a hold's authority. What was kept in the
-- clear before is swept within a day. Promise S2.
alter table idempotency add column sealed bytea;
alter table idempotency alter column sealed set statistics 0;
comment on column idempotency.sealed is 'The answer, bound to client and key; what collecting keeps in "answer" holds ids alone.';
