-- Delete gaps of days that are not kept any more, so many at once.
-- Parameters: before (date), most.
-- Returns: one row per gap.
delete from capacity_gaps
where
    ctid = any(array(
        select g.ctid from capacity_gaps as g
        where g.stat_date < %(before)s::date
        order by g.stat_date
        limit %(most)s
    ))
returning stat_date
