-- name: install^
-- The one installation row, made at the first start; what comes back is what was made then.
with made as (
    insert into installation (id, origin, created_at) values (:id, :origin, :now)
    on conflict do nothing
    returning id, origin
)
select id, origin from made union all select id, origin from installation limit 1;

-- name: client_named$
-- The id of a client by its name.
select id from clients where name = :name;
