"""The faults that reading accounts is tested against; part of the matrix (`matrix.py`), and of its table in the documents."""

from dataclasses import replace

from whalefall_pipelines_tests.faults.fault import (
    BROKE,
    DIED,
    FAKE,
    MARIADB,
    MYSQL,
    NOTHING,
    ORACLE,
    OUR_STORE,
    POSTGRESQL,
    SQLSERVER,
    UNREACHED,
    UNUSABLE,
    Fault,
    Where,
)

PG = (POSTGRESQL,)
REAL = (POSTGRESQL, MARIADB, MYSQL)
EVERY = (*REAL, SQLSERVER, ORACLE)
KEPT = "the accounts of that server stay as they were last read"
RETRIED = "The retries of the day, or its next run, read them."
BY_A_PERSON = "Someone has to follow the message; then the next run reads them."

REFUSED = Fault(
    "login refused while accounts are read",
    EVERY,
    KEPT,
    BY_A_PERSON,
    UNREACHED,
    ("authentication_failed",),
    says="check the credential",
)
NOTHING_READABLE = Fault(
    "login that may read no accounts",
    (MARIADB, MYSQL, SQLSERVER, ORACLE),
    f"{KEPT}, and a gap has the GRANT",
    BY_A_PERSON,
    UNUSABLE,
    ("no_permission",),
    says="GRANT",
)
REVOKED = Fault(
    "privilege revoked between accounts and their privileges",
    (*REAL, ORACLE),
    "what can no longer be read is a gap with the GRANT, and nothing of it is closed; the rest is read",
    BY_A_PERSON,
    reasons=("no_permission",),
    says="GRANT",
)
SERVER_FAULTS = (
    REFUSED,
    NOTHING_READABLE,
    Fault(
        "connection lost between accounts and their privileges",
        EVERY,
        f"{KEPT}: not even the list of accounts is taken over",
        RETRIED,
        UNUSABLE,
        ("unavailable",),
        attempts=3,
    ),
    REVOKED,
    replace(REVOKED, engines=(SQLSERVER,), sees=NOTHING_READABLE.sees, code=UNUSABLE),
    Fault(
        "account dropped between accounts and their privileges",
        EVERY,
        "nothing: its privileges end on that day, the account itself on the next",
        NOTHING,
    ),
    Fault(
        "database that hangs while its privileges are read",
        PG,
        "that database is a gap, and nothing of it is closed; the rest is read",
        RETRIED,
        reasons=("timeout",),
    ),
    Fault(
        "server that hangs while its privileges are read",
        (MARIADB, SQLSERVER, ORACLE),
        KEPT,
        RETRIED,
        UNUSABLE,
        ("timeout",),
    ),
)
BROKEN_STATEMENT = Fault(
    "store that refuses a statement of accounts",
    (FAKE,),
    f"{KEPT}: both phases are undone; other servers are read",
    RETRIED,
    OUR_STORE,
)
# The steps of a run at one instance in the store, in order.
STEPS = (
    "writing accounts",
    "writing attributes",
    "writing memberships",
    "writing privileges",
    "writing the observation",
    "closing the record of accounts",
    "committing accounts",
)
KILLS = tuple(
    Fault(
        f"reading accounts killed with -9 while {step}",
        PG,
        "the command says so, and its session is failed with the instance in progress; nothing of it is half stored",
        RETRIED,
        None if step == "committing accounts" else BROKE,
        says="killed by signal 9",
        where=Where.PROCESS,
        slow_at=() if step == "committing accounts" else PG,
        ends_run=True,
    )
    for step in STEPS
)
AT_THE_COMMAND = (
    *(replace(fault, where=Where.PROCESS, engines=PG, slow_at=PG) for fault in (REFUSED,)),
    *(replace(fault, where=Where.PROCESS, engines=(MARIADB,), slow_at=(MARIADB,)) for fault in (NOTHING_READABLE,)),
)
STORE_AWAY = Fault(
    "store away while accounts are read",
    PG,
    "nothing: the run waits up to a minute for the store",
    "It writes what it had read when the store is back.",
    where=Where.PROCESS,
    slow_at=PG,
)
CANCELLED = Fault(
    "reading accounts cancelled",
    PG,
    "the session is cancelled, and nothing of the instance in progress is stored",
    "The next run of the day reads them.",
    "CANCELLED",
    where=Where.DAEMON,
    ends_run=True,
    slow_at=PG,
)
KILLED_UNDER_THE_DAEMON = Fault(
    "reading accounts killed with -9 under the daemon",
    PG,
    "its session is failed with the instance in progress",
    "The sensors end its session within five minutes, and read the missing accounts a retry later.",
    DIED,
    says="was ended because",
    where=Where.DAEMON,
    ends_run=True,
    slow_at=PG,
)
ACCOUNT_FAULTS = (*SERVER_FAULTS, BROKEN_STATEMENT, *KILLS, *AT_THE_COMMAND, STORE_AWAY, CANCELLED, KILLED_UNDER_THE_DAEMON)
