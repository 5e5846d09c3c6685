-- name: taken_form^
-- What became of a sealed form that was taken in.
select device, digest, entry from sealed_forms where id = :id;

-- name: drop_sealed_forms!
-- Forms so old that they would be refused for their age alone.
delete from sealed_forms where kept_until < :now;
