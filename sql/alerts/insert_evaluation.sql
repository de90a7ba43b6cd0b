-- Say that a day is evaluated. A day is evaluated once, and none before one that was.
-- Parameters: day, now.
-- Returns: day; no row if it was evaluated.
insert into alert_evaluations (day, evaluated_at)
select
    %(day)s::date as day,
    %(now)s::timestamptz as evaluated_at
where not exists (select 1 from alert_evaluations as e where e.day >= %(day)s::date)
on conflict do nothing
returning day
