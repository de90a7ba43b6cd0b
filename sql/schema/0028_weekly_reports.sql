-- The report of a week is kept as it was sent, so that it says the same whenever it is read.
-- Parameters: none.
-- Returns: nothing.
create table weekly_reports (
    -- a Monday
    week_start date primary key check (extract(isodow from week_start) = 1),
    made_at timestamptz not null,
    sections jsonb not null check (jsonb_typeof(sections) = 'array')
);
comment on table weekly_reports is 'The reports of weeks, as they were sent';
