-- What was forecast 30 and 90 days before, beside what came: of each series the newest scored forecast, the largest errors first.
-- Parameters: since, day, most (for each horizon).
-- Returns: instance_name, database_name (NULL for the server), the forecast, what came, and the difference.
with newest as (
    select distinct on (s.instance_id, s.database_id, s.horizon_days) s.*
    from capacity_forecast_scores as s
    where s.target_date between %(since)s and %(day)s and s.horizon_days > 7
    order by s.instance_id, s.database_id, s.horizon_days, s.made_on desc
),

ranked as (
    select
        *,
        row_number() over (partition by horizon_days order by abs(residual) desc, instance_id, database_id nulls first) as place
    from newest
)

select
    i.name as instance_name,
    d.database_name,
    r.horizon_days,
    r.made_on,
    r.target_date,
    r.base_bytes,
    r.point_bytes,
    r.lower_80_bytes,
    r.upper_80_bytes,
    r.actual_bytes,
    r.actual_bytes - r.point_bytes as error_bytes
from ranked as r
inner join instances as i on r.instance_id = i.instance_id
left join database_activity as d
    on
        r.instance_id = d.instance_id
        and r.database_id = d.database_id
        and r.target_date >= d.active_from
        and (d.active_until is null or r.target_date < d.active_until)
where r.place <= %(most)s
order by r.horizon_days, r.place
