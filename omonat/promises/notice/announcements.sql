-- name: draft_announcement!
-- A new one, or other words for one that is there; it waits for the second person.
insert into announcements (id, draft, drafted_by, drafted_at, entries)
values (:id, :draft, :by, :now, :entries)
on conflict (id) do update
   set draft = excluded.draft, drafted_by = excluded.drafted_by, drafted_at = excluded.drafted_at,
       entries = announcements.entries || excluded.entries;

-- name: announcement_for_update^
-- One, locked until it is decided.
select id, said, draft, drafted_by, drafted_at, published_at, updated_at, approved_by, entries
  from announcements where id = :id for update;

-- name: publish_announcement!
-- The second person agrees: what waited is what people read.
update announcements
   set said = draft, draft = null, drafted_by = null, drafted_at = null, approved_by = :by, updated_at = :now,
       published_at = coalesce(published_at, :now), entries = entries || :entries::jsonb
 where id = :id;

-- name: announcement^
-- One, as it stands.
select id, said, draft, drafted_by, drafted_at, published_at, updated_at, approved_by, entries
  from announcements where id = :id;

-- name: announcements
-- Every one, also what waits, newest first.
select id, said, draft, drafted_by, drafted_at, published_at, updated_at, approved_by, entries
  from announcements order by coalesce(published_at, drafted_at) desc, id limit :most;

-- name: published
-- What people read: announcements and versions of the policy, newest first, each with where else it was made public.
select * from (
    select a.id, null::int as version, a.said, a.published_at, a.updated_at, null::timestamptz as effective
      from announcements a where a.published_at is not null
     union all
    select 'version-' || p.ordinal, p.ordinal, null::jsonb, p.published_at, p.published_at, p.effective from policies p
) as q
 where (:id = '' or q.id = :id)
 order by q.published_at desc, q.id desc limit :most offset :skip;

-- name: media_of
-- Where else these were made public, in order of their days.
select announcement, version, medium, published_on, reference, recorded_at
  from media_publications
 where announcement = any (:announcements::text[]) or version = any (:versions::int[])
 order by published_on, recorded_at;

-- name: record_media$
-- Something was made public elsewhere; nothing for what was never announced.
insert into media_publications
       (id, announcement, version, medium, published_on, reference, recorded_by, recorded_at, entry)
select :id, :announcement, :version, :medium, :published_on, :reference, :by, :now, :entry
 where exists (select from announcements a where a.id = :announcement and a.published_at is not null)
    or exists (select from policies p where p.ordinal = :version)
returning id;
