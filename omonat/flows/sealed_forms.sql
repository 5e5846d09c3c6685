-- name: taken_form^
-- What became of a sealed form that was taken in; the record has the entry's name, and is gone when it was deleted.
select f.device, f.digest, f.entry, r.id as record, r.person, r.case_id
  from sealed_forms f left join records r on r.id = 'rec' || substr(f.entry, 3)
 where f.id = :id;

-- name: drop_sealed_forms!
-- Forms so old that they would be refused for their age alone.
delete from sealed_forms where kept_until < :now;
