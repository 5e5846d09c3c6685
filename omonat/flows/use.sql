-- name: read_for_use
-- Everything a use is decided on and the sealed sections it may open, for many uses at once: one row per section,
-- or one row without a section. Reaches only the rows of the clients, staff, cases and people named, by key.
select q.n, i.active_ordinal,
       cl.secret, cl.roles, cl.until,
       st.id, st.role, st.role_until, st.trained_until,
       k.kind, k.person, k.assigned, k.closed_at,
       p.id, p.slot, p.evidence_slot, p.told, p.standing,
       case when p.remains then 'remains'
            when p.erased_at is not null then 'erased'
            when p.quarantined_at is not null then 'quarantined'
            when p.restricted_at is not null then 'restricted' else '' end, p.images_closed,
       s.record, s.category, s.sealed, s.slot, s.version, s.service, s.collected_at, s.anchors,
       s.opened_at, s.closed_at, s.case_anchors
  from unnest(:client::text[], :staff::text[], :person::text[], :case_id::text[], :categories::text[], :most::int[])
       with ordinality as q(client, staff, person, case_id, categories, most, n)
 cross join installation i
  left join clients cl on cl.id = q.client
  left join staff st on st.ref = q.staff
  left join cases k on k.id = q.case_id
  left join persons p on p.id = coalesce(q.person, k.person)
  left join lateral (
        select own.*, k.opened_at, k.closed_at, nullif(k.anchors, '{}') as case_anchors
          from unnest(case when k.id is not null then string_to_array(q.categories, ',') end) as c(category)
         cross join lateral (
                select r.id as record, s.category, s.sealed, r.slot, r.version, r.service, r.collected_at, r.anchors
                  from records r
                  join sections s on s.record = r.id and s.category = c.category
                 where r.case_id = k.id and r.person = p.id
                 order by r.collected_at desc
                 limit q.most) own
         union all
        select r.id, s.category, s.sealed, r.slot, r.version, r.service, r.collected_at, r.anchors,
               own.opened_at, own.closed_at, nullif(own.anchors, '{}')
          from unnest(case when q.case_id is null then string_to_array(q.categories, ',') end) as c(category)
         cross join lateral (
                select s.record, s.category, s.sealed from sections s
                 where s.person = p.id and s.category = c.category
                 order by s.collected_at desc
                 limit q.most) s
          join records r on r.id = s.record
          left join cases own on own.id = r.case_id
       ) s on true;

-- name: take_from_cap
-- Counts `taken` more uses or look-ups of each staff member in the running hour and day; the new totals come back.
insert into staff_usage as u (staff, kind, window_start, window_length, taken)
select q.staff, q.kind, date_bin(w.length, :now::timestamptz, timestamptz 'epoch'), w.length, q.taken
  from unnest(:staff::text[], :kind::text[], :taken::int[]) as q(staff, kind, taken)
 cross join (values (interval '1 hour'), (interval '1 day')) as w(length)
 order by q.staff, q.kind, w.length
    on conflict (staff, kind, window_length, window_start) do update set taken = u.taken + excluded.taken
returning staff, kind, window_length = interval '1 hour' as hourly, taken;
