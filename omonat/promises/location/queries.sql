-- name: cases_of_grants
-- Which of these cases are open, and whose they are.
select id, person from cases where id = any (:ids::text[]) and closed_at is null;
