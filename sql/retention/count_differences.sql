-- Compare a month with what was read back from its archive.
-- Parameters: table_partition (identifiers).
-- Returns: rows of the month, and how many rows one of the two has and the other has not.
with only_in_the_month as (
    select * from {table_partition}
    except all
    select * from pg_temp.archive_check
),

only_in_the_archive as (
    select * from pg_temp.archive_check
    except all
    select * from {table_partition}
)

select
    (select count(*) from {table_partition}) as rows,
    (select count(*) from only_in_the_month) + (select count(*) from only_in_the_archive) as differences
