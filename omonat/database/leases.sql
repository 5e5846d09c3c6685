-- name: acquire^
-- Takes the lease when it is new or over, or ends so late that only a clock since set back can have written it; the
-- holder itself comes back with a higher fence after a restart.
insert into leases as held (name, holder, fence, until) values (:name, :holder, 1, :until)
on conflict (name) do update
set holder = excluded.holder, fence = held.fence + 1, until = excluded.until
where held.until <= :now or held.until > :absurd or held.holder = excluded.holder
returning fence, until;

-- name: renew$
-- Keeps the lease a while longer, unless it is over or somebody else has it.
update leases set until = :until
where name = :name and holder = :holder and fence = :fence and until > :now
returning fence;

-- name: release!
-- Gives the lease back at once; the fence stays, so that it never repeats.
update leases set until = '-infinity'
where name = :name and holder = :holder and fence = :fence;

-- name: confirm$
-- Locks the lease's row for the transaction and says whether this fence still holds it.
select fence from leases where name = :name and holder = :holder and fence = :fence for share;
