-- name: drop_answers!
-- Answers to idempotency keys older than a day: nobody repeats a request that long.
delete from idempotency where at < :before;

-- name: drop_usage!
-- Counts of hours and days that are over.
delete from staff_usage where window_start < :before;
