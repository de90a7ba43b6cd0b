create table toy_stats (
    stat_date date not null primary key,
    toys integer not null check (toys >= 0)
) partition by range (stat_date)
