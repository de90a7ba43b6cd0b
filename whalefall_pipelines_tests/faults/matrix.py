"""Every fault that whalefall is tested against: one list, which the tests run, the README shows and `make test-faults` prints."""

from dataclasses import dataclass
from enum import StrEnum

import pytest
from _pytest.mark import ParameterSet

POSTGRESQL, MARIADB, SQLSERVER, ORACLE, FAKE = "PostgreSQL", "MariaDB", "SQL Server", "Oracle", "fake"
REAL = (POSTGRESQL, MARIADB, SQLSERVER)
UNREACHED = "DATABASE_CONNECTION_ERROR"
UNUSABLE = "SYNC_DATA_ERROR"
OUR_STORE = "DATABASE_QUERY_ERROR"


# The steps of a run at one instance in the store, in their order, and whether its record was under way then: being killed at one of them
# is being killed before it and after the one before.
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


class Where(StrEnum):
    """What is run under the fault."""

    SERVICE = "service"  # the real service, in the test's process
    PROCESS = "process"  # a run of Dagster's in a process of its own, started by `whalefall collect`
    DAEMON = "daemon"  # `whalefall up`, with the daemon and its sensors


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `code`, `reasons` and `says` are what the record and the gaps of the server under fault tell; no code is a success.

    `sees` and `heals` are what the README says of it.
    """

    name: str
    engines: tuple[str, ...]
    sees: str
    heals: str
    code: str | None = None
    reasons: tuple[str, ...] = ()
    says: str = ""
    where: Where = Where.SERVICE
    is_slow: bool = False

    @property
    def marks(self) -> tuple[pytest.MarkDecorator, ...]:
        """How pytest selects it."""
        return (pytest.mark.faults, *([pytest.mark.slow] if self.is_slow else []))

    @property
    def outcome(self) -> str:
        """How it ends, for the table of a test run."""
        if self.where is not Where.SERVICE and self.heals != NOTHING:
            return f"session failed{f', record {self.code}' if self.code else ''}"
        what = self.code or ("measured" if not self.reasons else "partly measured")
        return f"{what} ({', '.join(self.reasons)})" if self.reasons else what


NOTHING = "Nothing to heal."
WITHIN_THE_RUN = "Tried again within the run."
AT_ONCE = "Tried again within the run; what is still missing is measured by the next run."
NEXT_RUN = "The next run of the day measures it."
DROPPED = "The next run does not expect it any more; its day keeps the reason."
BACK = "The next run measures what is back; a second such listing on a later day is believed."
BY_A_PERSON = "Waits for a person, as the sentence says; the next run of the day measures it then."

SERVERS = (
    Fault("refused port", (*REAL, ORACLE), "its databases are missing", AT_ONCE, UNREACHED, ("connection_refused",), "Connection refused"),
    Fault(
        "dead address", REAL, "its databases are missing, after the connect deadline", NEXT_RUN, UNREACHED, ("timeout",), "at 127.0.0.1:"
    ),
    Fault(
        "accepts and says nothing",
        (*REAL, ORACLE),
        "its databases are missing, after the connect deadline",
        NEXT_RUN,
        UNREACHED,
        ("timeout",),
        "at 127.0.0.1:",
    ),
    Fault(
        "silent in mid-query",
        REAL,
        "its databases are missing, after the deadline of the visit",
        NEXT_RUN,
        UNUSABLE,
        ("timeout",),
        "at 127.0.0.1:",
    ),
    Fault("reset in mid-result", REAL, "its databases are missing, none of them with half a size", AT_ONCE, UNUSABLE, ("unavailable",)),
    Fault("wrong password", REAL, "its databases are missing", BY_A_PERSON, UNREACHED, ("authentication_failed",), "check the credential"),
    Fault(
        "no right on one database",
        REAL,
        "that database is missing with the GRANT, the others are measured",
        BY_A_PERSON,
        None,
        ("no_permission",),
        "GRANT",
    ),
    Fault(
        "no right on any database",
        (POSTGRESQL,),
        "the login is refused, with the GRANT",
        BY_A_PERSON,
        UNREACHED,
        ("no_permission",),
        "GRANT",
    ),
    Fault(
        "no right on any database",
        (MARIADB, SQLSERVER),
        "its databases are missing with the GRANT",
        BY_A_PERSON,
        UNUSABLE,
        ("no_permission",),
        "GRANT",
    ),
    Fault(
        "database dropped between listing and measuring",
        REAL,
        "that database is missing, the others are measured",
        DROPPED,
        None,
        ("vanished",),
        "dropped between",
    ),
    Fault("ten thousand databases", (MARIADB, SQLSERVER), "all of them are measured", NOTHING, is_slow=True),
    Fault("ten thousand tables", (POSTGRESQL, MARIADB), "the database is measured", NOTHING, is_slow=True),
    Fault("server restarted in mid-run", REAL, "nothing but a second attempt in the record", WITHIN_THE_RUN),
    Fault("slow server, just within the deadline", REAL, "nothing: it is measured", NOTHING),
    Fault("slow server, just beyond the deadline", REAL, "its databases are missing", NEXT_RUN, UNUSABLE, ("timeout",), "at 127.0.0.1:"),
    Fault(
        "empty listing",
        (MARIADB, SQLSERVER),
        "its databases are missing, and the inventory is kept",
        NEXT_RUN,
        UNUSABLE,
        ("empty_result",),
        "listed no database at all",
    ),
    Fault(
        "half of the listing gone",
        REAL,
        "what is gone is missing and stays in the inventory, the rest is measured",
        BACK,
        None,
        ("vanished",),
        "kept until a later day confirms",
    ),
)


LISTINGS = (
    Fault("ten thousand databases", (FAKE,), "all of them are measured", NOTHING),
    Fault(
        "empty listing",
        (FAKE,),
        "its databases are missing, and the inventory is kept",
        NEXT_RUN,
        UNUSABLE,
        ("empty_result",),
        "listed no database at all",
    ),
)

GRACED = "nothing: the day that the run is for is measured, because the grace period lasts"
CLOCKS = (
    Fault("midnight during a run", (FAKE,), GRACED, NOTHING),
    Fault("month end during a run", (FAKE,), GRACED, NOTHING),
    Fault("clocks go back during a run", (FAKE,), "nothing: the day has 25 hours", NOTHING),
    Fault("clocks go forward during a run", (FAKE,), "nothing: the day has 23 hours", NOTHING),
    Fault("clocks skip midnight during a run", (FAKE,), GRACED, NOTHING),
    Fault("clocks repeat midnight during a run", (FAKE,), GRACED, NOTHING),
)
GRACE = Fault(
    "grace period ends during a run",
    (FAKE,),
    "what was not reached in time is missing, and is never given the next day's bytes",
    "Estimated between the days around it, flagged for ever, once the next day is measured.",
    UNUSABLE,
    ("not_collected",),
    "was over before",
)


STORE = "store"
WAITED = "The run waits for the store, and writes what it had measured when the store is back."
STORES = (
    Fault("store restarted in mid-run", (STORE,), "nothing", WAITED),
    Fault("store out of connections", (STORE,), "nothing", WAITED),
    Fault("store killed with -9 during a commit", (STORE,), "nothing: an instance is there with all its rows or not at all", WAITED),
    Fault("missing table partition", (STORE,), "nothing: the run makes the month that it writes into", NOTHING),
)
DISK = Fault(
    "disk full on the store",
    (STORE,),
    "the run ends, and nothing of the instance that did not fit is kept",
    "Free the disk; the next run of the day measures what is missing.",
    OUR_STORE,
    says="No space left on device",
)


KILLED = "the command says so, its session is failed with the instance that was under way; what was finished stays"
BROKE = "INTERNAL_ERROR"
BY_SIGNAL = "killed by signal 9"


def _killed(step: str, engines: tuple[str, ...], *, is_under_way: bool) -> Fault:
    return Fault(
        f"run killed with -9 while {step}",
        engines,
        KILLED,
        NEXT_RUN,
        BROKE if is_under_way else None,
        says=BY_SIGNAL,
        where=Where.PROCESS,
        is_slow=step not in BOUNDED,
    )


KILLS = (
    *(_killed(step, (POSTGRESQL,), is_under_way=is_under_way) for step, is_under_way in STEPS.items()),
    *(_killed(step, REAL, is_under_way=True) for step in SERVER_STEPS),
)


DIED = "RUN_DIED"
SILENCE = "Ended by the sweep, or by the next run, after a minute of silence; the next run of the day measures what is missing."
TOGETHER = (
    Fault(
        "two runs at once",
        (POSTGRESQL,),
        "the second leaves with a sentence that names the first",
        NOTHING,
        where=Where.PROCESS,
        is_slow=True,
    ),
    Fault(
        "one instance by hand during a run",
        (POSTGRESQL,),
        "nothing: it waits until the run is done with that instance, and measures it again",
        NOTHING,
        where=Where.PROCESS,
        is_slow=True,
    ),
    Fault(
        "run frozen and believed dead",
        (POSTGRESQL,),
        "its session is failed; when it wakes, it writes nothing more and leaves",
        NEXT_RUN,
        DIED,
        says="its run failed",
        where=Where.PROCESS,
        is_slow=True,
    ),
    Fault(
        "run and command killed together",
        (POSTGRESQL,),
        "its session is failed with the instance that was under way; what was finished stays",
        SILENCE,
        DIED,
        says="its process is gone: nothing was heard of it",
        where=Where.PROCESS,
        is_slow=True,
    ),
)


BY_THE_DAEMON = "The sensors end its session within five minutes, and retry what the day lacks 15 minutes later, without a person."
UNDER_THE_DAEMON = (
    Fault(
        "run killed with -9 under the daemon",
        (POSTGRESQL,),
        "its session is failed with the instance that was under way; what was finished stays",
        BY_THE_DAEMON,
        DIED,
        says="the session was ended because",
        where=Where.DAEMON,
        is_slow=True,
    ),
    Fault(
        "run and daemon killed with -9",
        (POSTGRESQL,),
        "the same, once the daemon runs again",
        BY_THE_DAEMON,
        DIED,
        says="the session was ended because",
        where=Where.DAEMON,
        is_slow=True,
    ),
)


def parameters(faults: tuple[Fault, ...], *, without: str | None = None) -> list[ParameterSet]:
    """Each fault with each of its engines, as the parameters of a test."""
    return [
        pytest.param(
            fault,
            engine,
            id=f"{fault.name}-{engine}".replace(" ", "_"),
            marks=(pytest.mark.slow, pytest.mark.faults) if fault.is_slow else (pytest.mark.faults,),
        )
        for fault in faults
        for engine in fault.engines
        if engine != without
    ]
