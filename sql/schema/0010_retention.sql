-- What has no month of its own expires, too: gaps are found by their day whether they are open or closed, and what the installation takes
-- on disk is written down once a day, so that its growth is known.
-- Parameters: none.
-- Returns: nothing.
create index capacity_gaps_by_stat_date on capacity_gaps (stat_date);
create table footprints (
    measured_on date not null,
    kind text not null check (kind <> ''),
    total_bytes bigint not null check (total_bytes >= 0),
    primary key (measured_on, kind)
);
