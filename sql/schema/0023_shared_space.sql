-- What fills the disk of a server besides its databases, by parts, and the volumes that its files are on, where an engine tells them.
-- Parameters: none.
-- Returns: nothing.

-- `shared_bytes` of `instance_size_stats` is the sum of the parts of the day; it is NULL where one of them is.
create table instance_shared_stats (
    instance_id integer not null,
    stat_date date not null,
    part text not null check (part <> ''),
    total_bytes bigint check (total_bytes >= 0),
    detail text,
    primary key (instance_id, stat_date, part),
    check ((total_bytes is null) = (detail is not null))
) partition by range (stat_date);

create table instance_volume_stats (
    instance_id integer not null,
    stat_date date not null,
    volume text not null,
    total_bytes bigint not null check (total_bytes >= 0),
    free_bytes bigint not null check (free_bytes between 0 and total_bytes),
    primary key (instance_id, stat_date, volume)
) partition by range (stat_date);

comment on table instance_shared_stats is 'What fills the disk of a server and belongs to no database, by parts';
comment on table instance_volume_stats is 'The volumes on which files of a server are, where the engine tells them';
