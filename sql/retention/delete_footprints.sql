-- Delete footprints of days before this one.
-- Parameters: before (date).
-- Returns: nothing.
delete from footprints
where measured_on < %(before)s::date
