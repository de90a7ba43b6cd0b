-- Keep the report of a week, once.
-- Parameters: week_start, made_at, sections (jsonb).
-- Returns: week_start; no row if it was made before.
insert into weekly_reports (week_start, made_at, sections)
values (%(week_start)s, %(made_at)s, %(sections)s::jsonb)
on conflict do nothing
returning week_start
