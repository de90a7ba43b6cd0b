"""The faults of an installation with workers in zones: of a worker, its zone, its Redis, its clock. Part of the matrix (`matrix.py`)."""

from whalefall_pipelines_tests.faults.fault import DIED, NOTHING, POSTGRESQL, Fault, Where

ZONED = (POSTGRESQL,)
_COLLECTED = "The retries of the day, or its next run, measure them."
_AGAIN = "A sensor ends the session and the run within two minutes; the retries of the day, or its next run, measure them."
_UNOPENED = "A sensor records a failed session for the run; the retries of the day, or its next run, measure them."


def _fault(name: str, sees: str, heals: str, code: str | None = None, says: str = "") -> Fault:
    return Fault(name, ZONED, sees, heals, code, says=says, where=Where.DAEMON, slow_at=ZONED, ends_run=code is not None)


ZONE_FAULTS = (
    _fault("worker of a zone killed with -9", "the run of its zone fails; the other zones are measured", _AGAIN, DIED, "was ended because"),
    _fault("zone cut off during a run", "the run of that zone fails; the other zones are measured", _AGAIN, DIED, "was ended because"),
    _fault(
        "Redis of the zones killed",
        "started runs are completed; a run that is launched meanwhile fails",
        _UNOPENED,
        DIED,
        "before it opened a session",
    ),
    _fault(
        "Redis of the zones comes back empty",
        "started runs are completed; a run that waited fails after `start_timeout_seconds`",
        _UNOPENED,
        DIED,
        "before it opened a session",
    ),
    _fault("order of a run delivered three times", "nothing: the run is executed once", NOTHING),
    _fault(
        "zone without a worker",
        "the run of that zone fails after `start_timeout_seconds`; the other zones are measured",
        _UNOPENED,
        DIED,
        "before it opened a session",
    ),
    _fault(
        "worker of another version",
        "the run of its zone fails before it connects to a server, and names both schema versions; the other zones are measured",
        _UNOPENED,
        DIED,
        "before it opened a session",
    ),
    _fault(
        "worker of another zone",
        "the run fails before it connects to a server, and names the zones of its worker; the other zones are measured",
        _UNOPENED,
        DIED,
        "before it opened a session",
    ),
    _fault("clocks of workers a minute fast and a minute slow", "nothing: the day is measured", NOTHING),
    _fault("store away for 30 s during the runs of all zones", "nothing", "The runs wait up to a minute for the store."),
)
