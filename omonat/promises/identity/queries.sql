-- name: client_by_id^
-- A system credential, or nothing.
select id, name, source, roles, secret, until from clients where id = :id;

-- name: issue_client!
-- A new system credential; issuing one of the same name again replaces its secret, source and roles.
insert into clients as c (id, name, source, roles, secret, until, created_at)
values (:id, :name, :source, :roles, :secret, :until, :now)
on conflict (name) do update
   set id = excluded.id, source = excluded.source, roles = excluded.roles, secret = excluded.secret,
       until = excluded.until, device_key = null
 where not exists (select 1 from cases where opened_by = c.id)
   and not exists (select 1 from idempotency where client = c.id);

-- name: renew_client$
-- A new secret for the credential of this name that has been used already; its id comes back.
update clients set secret = :secret, source = :source, roles = :roles, until = :until, device_key = null
 where name = :name returning id;

-- name: end_client$
-- Ends a credential now; the id comes back, or null when there is none of that name.
update clients set until = :now where name = :name and until > :now returning id;

-- name: device_by_id^
-- The device of a credential: what it signs with, and the credential it stands for.
select id, name, source, secret, until, device_key from clients where id = :id;

-- name: set_device_key$
-- The key of a device, set once for a credential: saying the same again changes nothing, and another one finds no row.
update clients set device_key = :key where id = :id and (device_key is null or device_key = :key) returning id;

-- name: put_staff$
-- Registers a staff member or changes role, end and training; the id comes back.
insert into staff as s (id, ref, role, role_until, trained_until, login, profile, created_at)
values (:id, :ref, :role, :role_until, :trained_until, :login, :profile, :now)
on conflict (ref) do update
   set role = excluded.role, role_until = excluded.role_until, trained_until = excluded.trained_until,
       login = coalesce(excluded.login, s.login), profile = excluded.profile
returning id;

-- name: staff_by_ref^
-- A staff member by the number source systems use.
select id, ref, role, role_until, trained_until, profile from staff where ref = :ref;

-- name: staff_by_id^
-- A staff member by id.
select id, ref, role, role_until, trained_until, profile from staff where id = :id;

-- name: staff_known$
-- Whether a sign-in name or a number is somebody's.
select exists (select from staff where login = :login or ref = :ref);

-- name: anybody_has_secrets$
-- Whether any staff member can prove who they are.
select exists (select 1 from staff where password is not null and totp is not null);

-- name: set_staff_secrets!
-- A new password and one-time code secret.
update staff set password = :password, totp = :totp, totp_step = 0, failures = 0, locked_until = null where id = :id;

-- name: take_staff_attempt^
-- Takes one attempt to sign in, before anything is compared, so that parallel guesses can't share one; the fifth locks,
-- unless it succeeds. Nothing comes back for an unknown name, and while the sign-in is locked.
update staff
   set failures = case when locked_until <= :now then 1 else failures + 1 end,
       locked_until = case when locked_until is null and failures + 1 >= 5 then :lock_until::timestamptz end
 where (login = :login or ref = :ref) and (locked_until is null or locked_until <= :now)
returning id, ref, role, role_until, trained_until, profile, password, totp;

-- name: take_totp_step$
-- Takes a one-time code's step, once: null when it was taken before.
update staff set totp_step = :step, failures = 0, locked_until = null where id = :id and totp_step < :step returning id;

-- name: open_code!
-- A one-time code is on its way to a channel.
insert into sign_in_codes (id, door, item, digest, older, code, created_at, until)
values (:id, :door, :item, :digest, :older, :code, :now, :until);

-- name: try_code^
-- Counts one attempt and says whether the code was right, in one statement: parallel guesses can't share an attempt.
update sign_in_codes
   set attempts = attempts + 1, used_at = case when code = :code then :now else used_at end
 where id = :id and used_at is null and until > :now and attempts < 5
returning item, digest, older, code = :code as right;

-- name: drop_codes!
-- Codes that ended long ago.
delete from sign_in_codes where until < :before;

-- name: persons_by_lookup
-- The people whose newest channel of its kind this is, proved ones first: not erased, not quarantined. Who gave another
-- one since is not found by the old one: codes go to the newest. A child that is reached by its guardian's phone isn't
-- found by it: the guardian is. `only`: they never gave another. The digests are one channel's, under every look-up key
-- there is.
select p.id, p.slot, max(l.since) as since, max(l.verified_at) as verified_at,
       not exists (select from lookups other where other.person = p.id and other.item = :item
                                               and other.digest <> all(:digests::bytea[])) as only
  from lookups l join persons p on p.id = l.person
 where l.digest = any(:digests::bytea[]) and l.item = :item and p.erased_at is null and p.quarantined_at is null
   and not exists (select from lookups newer where newer.person = l.person and newer.item = l.item
                                               and newer.since > l.since and newer.digest <> all(:digests::bytea[]))
   and not exists (select from guardian_consents g join lookups theirs on theirs.person = g.guardian
                    where g.person = p.id and g.scope = 'data' and g.withdrawn_at is null
                      and theirs.item = l.item and theirs.digest = l.digest)
 group by p.id, p.slot
 order by max(l.verified_at) desc nulls last, max(l.since) desc, p.id
 limit 20;

-- name: person_by_case$
-- Whose a case is, among those whose newest channel this is: the second proof for a shared or recycled channel.
select p.id
  from cases k join persons p on p.id = k.person join lookups l on l.person = p.id
 where k.id = :case_id and l.digest = any(:digests::bytea[]) and l.item = :item
   and p.erased_at is null and p.quarantined_at is null
   and not exists (select from lookups newer where newer.person = l.person and newer.item = l.item
                                               and newer.since > l.since and newer.digest <> all(:digests::bytea[]))
 limit 1;

-- name: verify_channel!
-- The person has proved control of the channel (Q1).
update lookups set verified_at = :now where person = :person and item = :item and digest = any(:digests::bytea[]);

-- name: open_web_session!
-- A web session begins.
insert into web_sessions (id, door, holder, created_at, until, state)
values (:id, :door, :holder, :now, :until, :state);

-- name: web_session^
-- A live web session, or nothing; a person's is gone once the person is erased, a staff member's once the role ended.
select w.holder, w.created_at, w.until, w.state
  from web_sessions w
 where w.id = :id and w.door = :door and w.until > :now
   and (w.door <> 'me' or exists (select 1 from persons p where p.id = w.holder
                                    and p.erased_at is null and p.quarantined_at is null))
   and (w.door <> 'desk' or exists (select 1 from staff s where s.id = w.holder
                                      and s.role_until > :now and s.trained_until > :now));

-- name: extend_web_session!
-- The session goes on a little longer, never past its hard end.
update web_sessions set until = least(:until, created_at + interval '12 hours') where id = :id;

-- name: end_web_session!
-- Signed out.
delete from web_sessions where id = :id;

-- name: end_web_sessions_of!
-- All sessions of one holder end.
delete from web_sessions where holder = :holder;

-- name: drop_web_sessions!
-- Sessions that ended.
delete from web_sessions where until < :now;

-- name: count_rate$
-- One more of something within a window; the total so far comes back.
insert into rates as r (key, window_start, taken) values (:key, date_bin(:window, :now::timestamptz, timestamptz 'epoch'), 1)
on conflict (key, window_start) do update set taken = r.taken + 1
returning taken;

-- name: drop_rates!
-- Windows that are over.
delete from rates where window_start < :before;

-- name: matches
-- Exact look-up: who is found by a channel, and their open cases of the purpose's kinds; who has one comes first, so
-- that a crowd on one number neither hides them nor makes one of several look like the only one.
select p.id as person, p.evidence_slot, mine.cases
  from (select distinct l.person from lookups l where l.digest = any(:digests::bytea[]) and l.item = :item) found
  join persons p on p.id = found.person
 cross join lateral (
       select array(select k.id from cases k
                     where k.person = p.id and k.closed_at is null and k.kind = any(:kinds::text[])
                     order by k.opened_at desc limit 20) as cases) mine
 where p.erased_at is null and p.quarantined_at is null and p.restricted_at is null
 order by cardinality(mine.cases) = 0
 limit 20;

-- name: person_to_write_to^
-- A person who can be written to, with the slots of their secrets; they aren't erased until the message is written.
select id, slot, evidence_slot, language from persons
 where id = :id and erased_at is null and quarantined_at is null
   for key share;

-- name: channels_of
-- A person's newest phone and e-mail: codes go there and nowhere else.
select distinct on (item) item, digest, since, verified_at from lookups
 where person = :person and item = any(:items::text[])
 order by item, since desc, epoch desc;

-- name: person_to_ask^
-- A person who is there and may act here, with the slot of their secrets.
select id, slot, evidence_slot, language from persons
 where id = :id and erased_at is null and quarantined_at is null;
