-- What the jobs look for every few seconds is found by an index, however much there is beside it.
create index web_sessions_by_until on web_sessions (until);
create index staff_usage_by_age on staff_usage (window_start);
create index work_items_waiting on work_items (opened_at) where closed_at is null;
