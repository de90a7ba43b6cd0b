"""What each WHALEFALL_* variable means, for the reference. Defaults and limits are read from the code."""

from collections.abc import Mapping

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "Store": {
        "WHALEFALL_HOME": "Folder of the installation: embedded store, logs, key file and `settings.env`. This variable itself is read "
        "from the environment only.",
        "WHALEFALL_DATABASE_URL": "URL of your own PostgreSQL, 15 or later. Without it the embedded store is used.",
        "WHALEFALL_DAGSTER_DATABASE_URL": "URL of Dagster's own database, if the store is your own PostgreSQL.",
        "WHALEFALL_PG_BIN": "Folder with the PostgreSQL server binaries of the embedded store. An existing store needs the major version "
        "that created it.",
        "WHALEFALL_TIMEZONE": "Time zone of the store, used when it is created: days begin and schedules run in it. A different value is "
        "refused afterwards; `whalefall store set-timezone` changes it.",
        "WHALEFALL_START_DATE": "First day of the calendars in Dagster.",
    },
    "Passwords": {
        "WHALEFALL_SECRET_KEY": "Key that encrypts stored passwords. Of several keys, separated by commas, the first encrypts and all of "
        "them decrypt.",
        "WHALEFALL_SECRET_VARIABLES": "Prefixes of the variables that `env:NAME` may refer to, separated by commas.",
        "WHALEFALL_SECRET_FOLDERS": "Folders of the files that `file:/PATH` may refer to, separated by colons.",
    },
    "Collecting": {
        "WHALEFALL_PARALLEL_INSTANCES": "The number of servers that are probed at the same time.",
        "WHALEFALL_CONNECT_TIMEOUT_SECONDS": "Deadline of a connection.",
        "WHALEFALL_STATEMENT_TIMEOUT_SECONDS": "Deadline of a statement on a monitored server.",
        "WHALEFALL_INSTANCE_TIMEOUT_SECONDS": "Deadline of the whole probe of a server, with its retries within the run.",
        "WHALEFALL_GRACE_HOURS": "How many hours after midnight the day before may still be measured.",
        "WHALEFALL_RETRY_MINUTES": "Pauses in minutes before the first retries of missing sizes. Later retries follow every 3 hours, or "
        "after the longest of these pauses.",
        "WHALEFALL_FILTERS_FILE": "YAML file that names databases to leave out.",
        "WHALEFALL_MAX_GAP_DAYS": "How far a known day may be from a missing day that is estimated from it.",
        "WHALEFALL_FAIL_BELOW_COVERAGE": "The share of the expected databases, from 0 to 1, that must be measured. Below it the run of the "
        "day fails, so that the day is red in Dagster.",
        "WHALEFALL_JUMP_PERCENT": "The check `no_database_jumped` warns if a database changes by more than this percentage in a day, and "
        "by more than the following size.",
        "WHALEFALL_JUMP_GIGABYTES": "That size in GB.",
        "WHALEFALL_ORACLE_AWR_LICENSED": "`yes` if the Diagnostics Pack of Oracle is licensed: missed days are then recovered from AWR.",
    },
    "Tables": {
        "WHALEFALL_TABLES_AT_MOST": "How many tables and table partitions of a database are stored each. The smaller ones are one row.",
        "WHALEFALL_TABLES_TAG": "The tables of servers with this tag (`KEY` or `KEY=VALUE`) are read every week.",
        "WHALEFALL_TABLES_OVER_GIGABYTES": "So are those of databases above this size.",
        "WHALEFALL_TABLES_GREW_GIGABYTES": "So are those of databases that grew by more than this in seven days.",
    },
    "Growth": {
        "WHALEFALL_PRICES": "What a GiB costs in a month, for `whalefall growth --by`: `KEY=VALUE:PRICE` for servers with this tag, the "
        "first that fits, and `PRICE` for all others, separated by commas, like `env=prod:0.12,0.05`.",
    },
    "Retention": {
        "WHALEFALL_PARTITIONS_AHEAD": "The number of months for which table partitions are created ahead of time.",
        "WHALEFALL_RETENTION_MONTHS": "The number of full months before the current one for which sizes, gaps and daily aggregations are "
        "kept.",
        "WHALEFALL_AGGREGATION_RETENTION_MONTHS": "The same for weeks, months and quarters. It must exceed WHALEFALL_RETENTION_MONTHS by "
        "at least 3, because a quarter is compared with the one before it.",
        "WHALEFALL_SESSION_RETENTION_DAYS": "How long sessions and their records are kept.",
        "WHALEFALL_EVENT_RETENTION_DAYS": "How long the step events of Dagster runs are kept.",
        "WHALEFALL_EXPIRE_AT_MOST": "The number of table partitions that may be dropped or pruned at once without `--yes`.",
        "WHALEFALL_ARCHIVE_DIR": "Folder to which a month is archived before it is dropped.",
    },
}

# Defaults that are decided at run time, or read best in words.
DEFAULTS: Mapping[str, str] = {
    "WHALEFALL_HOME": "[found](home.md) from the current folder",
    "WHALEFALL_DATABASE_URL": "the embedded store",
    "WHALEFALL_DAGSTER_DATABASE_URL": "the database `dagster` beside the store",
    "WHALEFALL_PG_BIN": "the newest installed version, or else the wheel",
    "WHALEFALL_TIMEZONE": "the time zone of the machine",
    "WHALEFALL_SECRET_KEY": "a key file in the home folder",
    "WHALEFALL_SECRET_FOLDERS": "`/run/secrets`, and `secrets` and `demo` in the home folder",
    "WHALEFALL_FILTERS_FILE": "none",
    "WHALEFALL_ORACLE_AWR_LICENSED": "`no`",
    "WHALEFALL_ARCHIVE_DIR": "none",
    "WHALEFALL_PRICES": "none",
}
