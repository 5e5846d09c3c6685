-- name: published_since
-- Published versions newer than an ordinal, oldest first.
select ordinal, version, typed, packs from policies where ordinal > :ordinal order by ordinal;

-- name: active_ordinal$
-- The ordinal of the policy in force; 0 when none is.
select active_ordinal from installation;

-- name: newest^
-- The ordinal in force, and the newest one published; 0 when there is none.
select active_ordinal as active, coalesce((select max(ordinal) from policies), 0) as newest from installation;

-- name: publish!
-- A new version, proposed by its author and approved by another.
insert into policies (ordinal, version, digest, document, typed, packs, author, approver, effective, published_at)
values (:ordinal, :version, :digest, :document, :typed, :packs, :author, :approver, :effective, :published_at);

-- name: activate$
-- Puts the newest version whose date has come into force; its ordinal comes back, or null when that changes nothing.
-- Never goes back.
update installation i
   set active_ordinal = newest.ordinal
  from (select max(ordinal) as ordinal from policies where effective <= :now) newest
 where newest.ordinal > i.active_ordinal
returning i.active_ordinal;

-- name: versions
-- All versions, newest first, without their documents.
select ordinal, version, digest, author, approver, effective, published_at from policies order by ordinal desc;

-- name: lock_policies^
-- Serialises publication: two versions never take the same ordinal.
select coalesce((select max(ordinal) from policies), 0) as newest from installation for update;
