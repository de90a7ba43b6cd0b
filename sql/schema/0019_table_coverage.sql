-- The coverage of table sizes: of the databases whose tables were to be read on a day, how many were read, and why the others were not.
-- Parameters: none.
-- Returns: nothing.
create view table_size_coverage as
select
    stat_date,
    instance_id,
    count(*)::integer as expected,
    (count(*) filter (where reason is null))::integer as measured,
    (count(*) filter (where reason is not null))::integer as missing,
    coalesce(array_agg(distinct reason order by reason) filter (where reason is not null), '{}') as reasons,
    coalesce(sum(jsonb_array_length(missing)), 0)::integer as missing_tables
from table_size_observations
group by stat_date, instance_id;

comment on view table_size_coverage is 'Per server and day: databases whose tables were to be read, and how many were';
comment on column table_size_coverage.stat_date is 'the day';
comment on column table_size_coverage.instance_id is 'the server, in instances';
comment on column table_size_coverage.expected is 'databases that a rule named, or whose tables were read by hand';
comment on column table_size_coverage.measured is 'databases whose tables were read';
comment on column table_size_coverage.missing is 'databases whose tables were not';
comment on column table_size_coverage.reasons is 'why not';
comment on column table_size_coverage.missing_tables is 'tables and table partitions without a size, in databases that were read';
