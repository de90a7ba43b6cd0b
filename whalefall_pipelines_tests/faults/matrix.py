"""Every fault that whalefall is tested against: the tests run this list, the documents show it, and `make test-faults` prints it."""

from dataclasses import replace

from whalefall_pipelines_tests.faults.account_matrix import ACCOUNT_FAULTS
from whalefall_pipelines_tests.faults.computed_matrix import COMPUTED_FAULTS
from whalefall_pipelines_tests.faults.fault import (
    BROKE,
    DIED,
    ENGINES,
    FAKE,
    MARIADB,
    MYSQL,
    NOTHING,
    ORACLE,
    OUR_STORE,
    POSTGRESQL,
    SQLSERVER,
    STORE,
    UNREACHED,
    UNUSABLE,
    Fault,
    Where,
)
from whalefall_pipelines_tests.faults.zone_matrix import ZONE_FAULTS

PG, FAKED, STORED = (POSTGRESQL,), (FAKE,), (STORE,)
OTHERS = (MARIADB, SQLSERVER, ORACLE)
TRIED_AGAIN = "It is retried twice within the run, then by the retries of the day."
RETRIED = "The retries of the day, or its next run, measure them."
BY_A_PERSON = "Someone has to follow the message; then the next run measures it."
MISSING = "its databases are missing"

EMPTY = Fault(
    "empty list of databases",
    OTHERS,
    f"{MISSING}, and the inventory is kept",
    RETRIED,
    UNUSABLE,
    ("empty_result",),
    says="listed no databases",
)
SEES_NONE = Fault(
    "login that sees no database",
    (POSTGRESQL, MARIADB, MYSQL),
    f"{MISSING}, with the GRANT",
    BY_A_PERSON,
    UNUSABLE,
    ("no_permission",),
    says="GRANT",
)
POOLER = Fault(
    "pooler instead of the server",
    PG,
    f"{MISSING}, and the message asks for the server itself",
    BY_A_PERSON,
    UNREACHED,
    ("server_error",),
    says="is a pooler",
)
SEES_SOME = "login that sees only some databases"
SERVERS = (
    Fault("connection refused", ENGINES, MISSING, TRIED_AGAIN, UNREACHED, ("connection_refused",), says="Connection refused", attempts=3),
    Fault(
        "address that does not answer", ENGINES, f"{MISSING}, after the connect deadline", RETRIED, UNREACHED, ("timeout",), slow_at=OTHERS
    ),
    Fault(
        "server that accepts connections and never answers",
        ENGINES,
        f"{MISSING}, after the connect deadline",
        RETRIED,
        UNREACHED,
        ("timeout",),
        slow_at=OTHERS,
    ),
    Fault(
        "server that goes silent during a query",
        ENGINES,
        f"{MISSING}, after the deadline of the probe",
        RETRIED,
        UNUSABLE,
        ("timeout",),
        slow_at=OTHERS,
    ),
    Fault(
        "connection reset in the middle of a result",
        ENGINES,
        f"{MISSING}, none of them with half a size",
        TRIED_AGAIN,
        UNUSABLE,
        ("unavailable",),
        attempts=3,
    ),
    Fault("wrong password", ENGINES, MISSING, BY_A_PERSON, UNREACHED, ("authentication_failed",), says="check the credential"),
    Fault(
        "missing privilege on one database",
        (*ENGINES, MYSQL),
        "that database is missing with the GRANT; the others are measured",
        BY_A_PERSON,
        reasons=("no_permission",),
        says="GRANT",
    ),
    Fault(
        "missing privilege on every database",
        PG,
        "the login is refused, with the GRANT",
        BY_A_PERSON,
        UNREACHED,
        ("no_permission",),
        says="GRANT",
    ),
    Fault(
        "missing privilege on every database",
        (*OTHERS, MYSQL),
        f"{MISSING}, with the GRANT",
        BY_A_PERSON,
        UNUSABLE,
        ("no_permission",),
        says="GRANT",
    ),
    SEES_NONE,
    Fault(
        "database dropped between listing and measuring",
        ENGINES,
        "that database is missing; the others are measured",
        "The next run no longer expects it; the day keeps the reason.",
        reasons=("vanished",),
        says="dropped between",
    ),
    POOLER,
    Fault("ten thousand databases", OTHERS, "nothing: all of them are measured", NOTHING, slow_at=ENGINES),
    Fault("ten thousand tables", (POSTGRESQL, MARIADB), "nothing: the database is measured", NOTHING, slow_at=ENGINES),
    Fault(
        "server restarted during a run", ENGINES, "nothing but a second attempt in the record", "It is retried within the run.", attempts=2
    ),
    Fault("slow server, just within the deadline", ENGINES, "nothing: it is measured", NOTHING, slow_at=OTHERS),
    Fault("slow server, just beyond the deadline", ENGINES, MISSING, RETRIED, UNUSABLE, ("timeout",), slow_at=OTHERS),
    Fault(
        "half of the databases gone from the list",
        ENGINES,
        "the absent databases are missing and stay in the inventory; the others are measured",
        "The next run measures the databases that are back; a second such list on a later day is accepted.",
        reasons=("vanished",),
        says="kept until a later day confirms",
    ),
    EMPTY,
)
LISTINGS = (Fault("ten thousand databases", FAKED, "nothing: all of them are measured", NOTHING), EMPTY.at(*FAKED))

GRACED = "nothing: the day of the run is measured, because the grace period has not ended"
LONG = "nothing: the day has 25 hours, or 23"
CLOCKS = (
    Fault("midnight during a run", FAKED, GRACED, NOTHING),
    Fault("month end during a run", FAKED, GRACED, NOTHING),
    Fault("clocks go back during a run", FAKED, LONG, NOTHING),
    Fault("clocks go forward during a run", FAKED, LONG, NOTHING),
    Fault("clocks skip midnight during a run", FAKED, GRACED, NOTHING),
    Fault("clocks repeat midnight during a run", FAKED, GRACED, NOTHING),
)
GRACE = Fault(
    "grace period ends during a run",
    FAKED,
    "what was not reached in time is missing, and never gets the bytes of the next day",
    "Once the next day is measured, the sizes are estimated between the days around it, and stay marked as estimates.",
    UNUSABLE,
    ("not_collected",),
    says="was over before",
)

WAITED = "The run waits up to a minute for the store, and writes what it had measured when the store is back."
STORES = (
    Fault("store restarted during a run", STORED, "nothing", WAITED),
    Fault("store out of connections", STORED, "nothing", WAITED),
    Fault("store killed with -9 during a commit", STORED, "nothing: an instance is stored with all its rows or not at all", WAITED),
    Fault("answer of the store to a commit lost", STORED, "nothing: data that is sent twice is stored once", WAITED),
    Fault("missing table partition", STORED, "nothing: the run creates the month that it writes into", NOTHING),
)
BROKEN_STORES = (
    Fault(
        "store unavailable for longer than a run waits",
        STORED,
        "the run ends and says so; the record of an instance in progress is failed once the store is back",
        "A sensor ends the session; the next run of the day measures what is missing.",
        DIED,
        says="cannot be reached",
        ends_run=True,
    ),
    Fault(
        "disk full on the store",
        STORED,
        "the run ends and says so; nothing of the instance that did not fit is kept",
        "Free the disk; the next run of the day measures what is missing.",
        OUR_STORE,
        says="No space left on device",
        ends_run=True,
    ),
    Fault(
        "another table with the name of a month",
        STORED,
        "the run ends before it connects to any server, and names the table",
        "Rename or drop that table; the next run of the day measures it.",
        says="database_size_stats",
        ends_run=True,
    ),
)

# The steps of a run at one instance in the store, in order, and whether its record was running then. A kill "at" a step happens before it
# and after the previous one.
STEPS = {
    "opening its session": False,
    "taking up an instance": False,
    "waiting for the inventory": True,
    "writing the inventory": True,
    "writing sizes": True,
    "writing the total": True,
    "marking the server as reached": True,
    "closing the record": True,
    "committing": False,
    "closing its session": False,
}
SERVER_STEPS = ("connecting to the server", "listing", "measuring")
BOUNDED = ("writing sizes", "committing")
BY_SIGNAL = "killed by signal 9"
ENDED = "its session is failed, with the instance in progress; finished instances keep their sizes"


def _killed(step: str, engines: tuple[str, ...], *, is_under_way: bool) -> Fault:
    return Fault(
        f"run killed with -9 while {step}",
        engines,
        f"the command says so, {ENDED}",
        RETRIED,
        BROKE if is_under_way else None,
        says=BY_SIGNAL,
        where=Where.PROCESS,
        slow_at=() if step in BOUNDED else engines,
        ends_run=True,
    )


KILLS = (
    *(_killed(step, PG, is_under_way=is_under_way) for step, is_under_way in STEPS.items()),
    *(_killed(step, ENGINES, is_under_way=True) for step in SERVER_STEPS),
)

TOGETHER = (
    Fault("two runs at once", PG, "the second run exits with a message that names the first", NOTHING, where=Where.PROCESS, slow_at=PG),
    Fault(
        "one instance collected by hand during a run",
        PG,
        "nothing: it waits until the run has finished that instance, and measures it again",
        NOTHING,
        where=Where.PROCESS,
        slow_at=PG,
    ),
    Fault(
        "run frozen and taken for dead",
        PG,
        "its session is failed; when it wakes, it writes nothing and exits",
        "The store ends its transaction within a minute, and the next run of the day measures what is missing.",
        DIED,
        says="its run failed",
        where=Where.PROCESS,
        ends_run=True,
        slow_at=PG,
    ),
    Fault(
        "run and command killed together",
        PG,
        ENDED,
        "A sensor or the next run ends it after a minute without a heartbeat; the next run of the day measures what is missing.",
        DIED,
        says="its process has died: it sent no heartbeat",
        where=Where.PROCESS,
        ends_run=True,
        slow_at=PG,
    ),
)

BY_THE_DAEMON = "The sensors end its session within five minutes, and retry the missing sizes 15 minutes later."
UNDER_THE_DAEMON = tuple(
    Fault(name, PG, sees, BY_THE_DAEMON, DIED, says="was ended because", where=Where.DAEMON, ends_run=True, slow_at=PG)
    for name, sees in (
        ("run killed with -9 under the daemon", ENDED),
        ("run and daemon killed with -9", "the same, once the daemon is running again"),
    )
)
STORE_AWAY_AT_THE_START = Fault(
    "store unavailable when a run begins",
    STORED,
    "the run fails, and gets a failed session as soon as the store is back",
    "A sensor records that session, and the missing sizes are retried 15 minutes later.",
    says="the run failed before it opened a session",
    where=Where.DAEMON,
    ends_run=True,
    slow_at=STORED,
)

RETENTION = (
    Fault(
        "someone reads a month while it expires",
        STORED,
        "the month stays, the command names it, and readers and writers are not disturbed",
        "The next expiry drops it: the daemon retries it the same day, after the pauses of `WHALEFALL_RETRY_MINUTES`.",
        "STORE_BUSY",
        says="Another session holds a lock",
        where=Where.PROCESS,
    ),
    Fault(
        "deletion of old sessions killed with -9",
        STORED,
        "what was deleted stays deleted; a session has all of its records or none",
        "The run of the next night, or `whalefall retention expire`, continues where it ended.",
        where=Where.PROCESS,
    ),
)
EXPIRY_UNDER_THE_DAEMON = Fault(
    "someone reads a month while it expires at night",
    STORED,
    "the session of the expiry is failed with that code, and the month stays",
    "The sensor `missing_table_partitions` retries it the same day.",
    "STORE_BUSY",
    where=Where.DAEMON,
    slow_at=STORED,
)
RESTARTS = tuple(
    Fault(f"store restarted while {who}", STORED, "nothing: the progress continues", WAITED, where=where, slow_at=slow_at)
    for who, where, slow_at in (
        ("`whalefall collect` watches its run", Where.PROCESS, ()),
        ("the daemon watches a run", Where.DAEMON, STORED),
    )
)
HUNG = Fault(
    "Ctrl-C at a command whose run hangs",
    PG,
    "the run is killed after ten seconds, or at a second Ctrl-C; its session is cancelled, and finished instances keep their sizes",
    "The next run of the day measures what is missing.",
    "CANCELLED",
    says="its command ended: KeyboardInterrupt",
    where=Where.PROCESS,
    ends_run=True,
    slow_at=PG,
)

KILLED = "backfill killed with -9 while "
BACKFILL_STEPS = (
    "writing down the lost days",
    "taking up a server with a history",
    "writing recovered sizes",
    "writing the totals of recovered sizes",
    "estimating",
    "writing the totals of estimates",
    "closing its records",
    "closing its session",
)
BACKFILL_WAITS = "The backfill waits up to a minute for the store, and repeats what was not stored."
BACKFILL_AGAIN = "The next backfill of these days fills the rest; the sensor launches it for days that can be estimated."
BACKFILL_KILLS = tuple(
    Fault(
        f"{KILLED}{step}",
        FAKED,
        "its session is failed; filled days have their totals, and no measured size has changed",
        BACKFILL_AGAIN,
        DIED,
        where=Where.PROCESS,
        ends_run=True,
    )
    for step in BACKFILL_STEPS
)
BACKFILL_STORES = (
    Fault("store restarted while a history is read", STORED, "nothing", BACKFILL_WAITS),
    Fault("store killed with -9 during the estimates", STORED, "nothing", BACKFILL_WAITS),
    Fault(
        "store unavailable for longer than a backfill waits",
        STORED,
        "the run ends and says so; filled days have their totals",
        BACKFILL_AGAIN,
        DIED,
        ends_run=True,
    ),
)
BROKEN_HISTORY = Fault(
    "broken history of a server",
    FAKED,
    "its record says why, and its days are estimated; the other servers are recovered",
    "The next backfill replaces the estimates by recovered sizes.",
    BROKE,
    says="a size cannot be negative",
)
BACKFILL_KILLED_UNDER_THE_DAEMON = Fault(
    "backfill killed with -9 under the daemon",
    PG,
    "its session is failed; filled days have their totals, and no measured size has changed",
    "Dagster repeats the run once; after that the sensor requests it again on the next day.",
    DIED,
    where=Where.DAEMON,
    ends_run=True,
    slow_at=PG,
)
HISTORY_BROKEN_UNDER_THE_DAEMON = replace(
    BROKEN_HISTORY, name="broken history of a server under the daemon", engines=(SQLSERVER,), where=Where.DAEMON, slow_at=(SQLSERVER,)
)
IDENTITIES = (
    Fault(
        "different server behind a known name",
        PG,
        f"{MISSING}, and nothing of the other server is stored",
        "Run `whalefall instances accept NAME --moved`, or correct the address; then the retries of the day measure it.",
        UNUSABLE,
        ("another_server",),
        says="was it moved, or is it another server?",
        where=Where.PROCESS,
    ),
    Fault(
        "one server under two names",
        PG,
        "the later name has no sizes; the other is measured",
        "Run `whalefall instances remove NAME` or `accept NAME --replica`; then the retries of the day measure it.",
        UNUSABLE,
        ("duplicate_server",),
        says="is the same server as",
        where=Where.PROCESS,
    ),
)
IDENTITIES_UNDER_THE_DAEMON = tuple(replace(fault, where=Where.DAEMON, slow_at=PG) for fault in IDENTITIES)

_NUMBERS = (
    Fault(
        "database whose name is not UTF-8",
        PG,
        "nothing: it is measured, and its name has `\\xHH` for each invalid byte",
        NOTHING,
    ),
    Fault(
        "database renamed",
        (POSTGRESQL, SQLSERVER, ORACLE),
        "nothing: its history continues under the new name, with a notice",
        NOTHING,
        says="is now called 'ledger' and keeps its history",
    ),
    Fault(
        "database dropped and created again",
        (POSTGRESQL, SQLSERVER, ORACLE),
        "nothing: it is a new database, and the old one did not shrink",
        NOTHING,
    ),
    Fault(
        "DROP DATABASE interrupted",
        PG,
        "nothing: what is left is measured, with a notice",
        "A person runs `DROP DATABASE` again.",
        says="An interrupted DROP DATABASE left it",
    ),
    Fault(
        "CSV table",
        (MARIADB, MYSQL),
        "nothing: the rest of its schema is measured, with a notice that names the table",
        NOTHING,
        says="not counted: listed.",
    ),
    Fault(
        "statistics older than the data",
        (MARIADB, MYSQL),
        "nothing: tables in a shared tablespace are counted by statistics, with a notice that these are old",
        "A person runs `ANALYZE TABLE`.",
        says="Counted from the server's statistics: grown.",
    ),
    Fault(
        SEES_SOME,
        (MARIADB, MYSQL),
        "the databases that it does not see are missing with the GRANT; the others are measured",
        BY_A_PERSON,
        reasons=("no_permission",),
        says="GRANT SHOW VIEW ON *.* TO",
    ),
    Fault(SEES_SOME, (SQLSERVER, ORACLE), f"{MISSING}, with the GRANT", BY_A_PERSON, UNUSABLE, ("no_permission",), says="GRANT"),
)
_SESSIONS = (
    POOLER,
    Fault("login trigger that writes", PG, "nothing: a session becomes read-only after its login", NOTHING),
    Fault("role whose settings end its sessions", PG, "nothing: a session has the limits of whalefall", NOTHING),
    Fault(
        "hot standby whose replay cancels long statements",
        PG,
        "nothing: it is measured database by database",
        "A cancelled statement is repeated in smaller parts.",
    ),
)
# What is easily measured wrong, or taken for something else, missing privileges, and sessions that are not what they seem: at the command,
# and under the daemon.
NUMBERS = (
    *(replace(fault, where=Where.PROCESS, slow_at=fault.engines) for fault in _SESSIONS),
    *(replace(fault, where=Where.PROCESS, slow_at=fault.engines) for fault in SERVERS if fault.reasons == ("no_permission",)),
    *(replace(fault, where=Where.PROCESS, slow_at=OTHERS) for fault in _NUMBERS),
)
NUMBERS_UNDER_THE_DAEMON = tuple(
    replace(fault, where=Where.DAEMON, engines=(engine,), slow_at=(engine,))
    for fault in NUMBERS
    for engine in (POSTGRESQL, MYSQL)
    if engine in fault.engines
)

TABLES = "tables: "
REFRESHED = "The next refresh reads them."
_AT_A_SERVER = tuple(
    replace(fault, name=f"{TABLES}{fault.name}", where=Where.PROCESS)
    for fault in (
        Fault("connection refused", ENGINES, "the database is missing", REFRESHED, UNREACHED, ("connection_refused",)),
        Fault("wrong password", ENGINES, "the database is missing", BY_A_PERSON, UNREACHED, ("authentication_failed",)),
        Fault(
            "missing privilege on the database",
            (POSTGRESQL, MARIADB, MYSQL),
            "the database is missing, with the GRANT",
            BY_A_PERSON,
            UNUSABLE,
            ("no_permission",),
            says="GRANT",
        ),
        Fault("database dropped", ENGINES, "the database is missing", NOTHING, UNUSABLE, ("vanished",)),
        Fault(
            "server that goes silent during a query", (POSTGRESQL, MARIADB), "the database is missing", REFRESHED, UNUSABLE, ("timeout",)
        ),
        Fault(
            "connection reset in the middle of a result",
            (POSTGRESQL, MARIADB),
            "the database is missing",
            REFRESHED,
            UNUSABLE,
            ("unavailable",),
        ),
        Fault("statement past its deadline", PG, "the database is missing", REFRESHED, UNUSABLE, ("timeout",)),
    )
)
TABLES_AT_A_SERVER = tuple(replace(fault, slow_at=OTHERS if len(fault.engines) > 3 else ()) for fault in _AT_A_SERVER)
TABLES_MEASURED = (
    Fault(
        f"{TABLES}table dropped while they are read",
        PG,
        "that table is missing; the others are measured",
        "The next refresh no longer expects it.",
        reasons=("vanished",),
        where=Where.PROCESS,
        slow_at=PG,
    ),
    Fault(f"{TABLES}hostile names", (POSTGRESQL, MARIADB), "nothing: they are shown as they are", NOTHING, where=Where.PROCESS),
    Fault(
        f"{TABLES}a hundred thousand of them",
        PG,
        "nothing: the 20,000 largest are stored, and the rest is one row with its exact sum",
        NOTHING,
        where=Where.PROCESS,
        slow_at=PG,
    ),
)
TABLES_AT_THE_STORE = (
    Fault(f"{TABLES}refresh killed with -9", STORED, "nothing of it is stored", REFRESHED, where=Where.PROCESS),
    Fault(
        f"{TABLES}store restarted while they are stored", STORED, "nothing", "The command waits up to a minute for it.", where=Where.PROCESS
    ),
    Fault(f"{TABLES}store unavailable", STORED, "the command says so", REFRESHED, OUR_STORE, where=Where.PROCESS),
)
TABLES_UNDER_THE_DAEMON = tuple(
    replace(fault, name=f"{TABLES}{fault.name}", where=Where.DAEMON, slow_at=fault.engines)
    for fault in (
        Fault("run killed with -9 under the daemon", PG, ENDED, BY_THE_DAEMON, DIED, says="was ended because", ends_run=True),
        Fault("connection refused under the daemon", PG, "its databases are missing", RETRIED, UNREACHED, ("connection_refused",)),
        Fault(
            "missing privilege under the daemon",
            PG,
            "the database is missing, with the GRANT; the others are measured",
            BY_A_PERSON,
            reasons=("no_permission",),
            says="GRANT",
        ),
        STORE_AWAY_AT_THE_START,
    )
)

FAULTS = (
    *SERVERS,
    *LISTINGS,
    *CLOCKS,
    GRACE,
    *STORES,
    *BROKEN_STORES,
    *KILLS,
    *TOGETHER,
    *UNDER_THE_DAEMON,
    STORE_AWAY_AT_THE_START,
    *RESTARTS,
    HUNG,
    *RETENTION,
    EXPIRY_UNDER_THE_DAEMON,
    *BACKFILL_KILLS,
    *BACKFILL_STORES,
    BROKEN_HISTORY,
    BACKFILL_KILLED_UNDER_THE_DAEMON,
    HISTORY_BROKEN_UNDER_THE_DAEMON,
    *IDENTITIES,
    *IDENTITIES_UNDER_THE_DAEMON,
    *NUMBERS,
    *NUMBERS_UNDER_THE_DAEMON,
    *ACCOUNT_FAULTS,
    *COMPUTED_FAULTS,
    *TABLES_AT_A_SERVER,
    *TABLES_MEASURED,
    *TABLES_AT_THE_STORE,
    *TABLES_UNDER_THE_DAEMON,
    *ZONE_FAULTS,
)
