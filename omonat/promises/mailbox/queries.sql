-- name: suppress$
-- An address isn't written to any more; nothing comes back where that is known and was said lately.
insert into suppressions as s (digest, reason, at, entry) values (:digest, :reason, :now, :entry)
on conflict (digest, reason) do update set at = excluded.at, entry = excluded.entry where s.at < :before
returning entry;

-- name: suppressed
-- Why and since when an address isn't written to.
select reason, at from suppressions where digest = :digest;

-- name: consented^
-- When and where a person last said yes to a purpose.
select at, door from choices
 where person = :person and kind = 'consent' and purpose = :purpose and state = 'given' order by at desc, id desc limit 1;

-- name: proved$
-- When a person last showed that an address is theirs.
select max(verified_at) from lookups where person = :person and item = :item and digest = any(:digests::bytea[]);

-- name: has_taken$
-- Whether a letter was taken in before.
select exists (select from letters_taken where digest = :digest);

-- name: take!
-- A letter was taken in.
insert into letters_taken (digest, at) values (:digest, :now) on conflict do nothing;

-- name: drop_taken!
-- Letters that nobody hands over again.
delete from letters_taken where at < :before;

-- name: persons_at
-- Everybody with this address, who wrote here once or has another one by now: each is spared the letters.
select distinct p.id from lookups l join persons p on p.id = l.person
 where l.digest = any(:digests::bytea[]) and l.item = :item and p.erased_at is null order by p.id limit 50;

-- name: message_sent^
-- A message that left by mail, and where it went.
select person, purpose, class, sent_to, settled_at from outbox where id = :id and sent_to is not null;

-- name: standing_of$
-- What a person chose; nothing once erased.
select standing from persons where id = :person and erased_at is null;
