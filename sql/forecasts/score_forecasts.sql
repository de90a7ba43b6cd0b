-- What forecasts promised and what came, by horizon and by how the series behave. An interval holds if the size was inside it.
-- Parameters: since, day (of the days that the forecasts are about).
-- Returns: one row for each horizon and behaviour, and for each horizon `all` and `moving` (all but flat).
with behaviours as (
    select
        f.instance_id,
        f.database_id,
        case
            when max(f.state) = 'flat' then 'flat'
            when count(c.kind) filter (where c.kind = 'recurring') > 0 then 'recurring steps'
            when count(c.kind) filter (where c.kind = 'step') > 0 then 'steps'
            when count(c.kind) filter (where c.kind = 'slope') > 0 then 'slope changes'
            else 'smooth'
        end as behaviour
    from (
        select distinct on (instance_id, database_id)
            instance_id,
            database_id,
            state
        from capacity_forecasts
        where made_on between %(day)s::date - 7 and %(day)s and horizon_days = 30
        order by instance_id, database_id, made_on desc
    ) as f
    left join capacity_changes as c
        on f.instance_id = c.instance_id and f.database_id is not distinct from c.database_id and c.known_on >= %(day)s::date - 365
    group by f.instance_id, f.database_id
),

scored as (
    select
        s.horizon_days,
        coalesce(b.behaviour, 'gone') as behaviour,
        coalesce(b.behaviour, '') <> 'flat' as is_moving,
        s.origin = 'issued' as is_issued,
        s.actual_bytes between s.lower_80_bytes and s.upper_80_bytes as is_inside_80,
        s.actual_bytes between s.lower_90_bytes and s.upper_90_bytes as is_inside_90,
        abs(s.residual) as error,
        abs(s.actual_bytes - s.base_bytes)::double precision / greatest(s.base_bytes, 1) as last_value_error
    from capacity_forecast_scores as s
    left join behaviours as b on s.instance_id = b.instance_id and s.database_id is not distinct from b.database_id
    where s.target_date between %(since)s and %(day)s
)

select
    horizon_days,
    case when grouping(behaviour) = 0 then behaviour when grouping(is_moving) = 0 then 'moving' else 'all' end as behaviour,
    count(*)::integer as scored,
    (count(*) filter (where is_issued))::integer as issued,
    avg(is_inside_80::integer)::double precision as covered_80,
    avg(is_inside_90::integer)::double precision as covered_90,
    avg(error) as mean_error,
    percentile_cont(0.5) within group (order by error) as median_error,
    avg(last_value_error) as last_value_error,
    avg(error) / nullif(avg(last_value_error), 0) as skill
from scored
group by grouping sets ((horizon_days), (horizon_days, is_moving), (horizon_days, behaviour))
having grouping(is_moving) = 1 or is_moving
order by horizon_days, grouping(behaviour) desc, grouping(is_moving) desc, behaviour
