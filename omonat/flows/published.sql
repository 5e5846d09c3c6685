-- name: standing^
-- Which ordinal is in force, and which is the newest published.
select active_ordinal, (select coalesce(max(ordinal), 0) from policies) as newest from installation;

-- name: newer
-- Published versions newer than an ordinal with their documents, oldest first.
select ordinal, document, packs, effective, published_at from policies where ordinal > :ordinal order by ordinal;
