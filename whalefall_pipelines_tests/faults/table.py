"""The table of faults in the documentation: what the user sees, and how it recovers."""

from whalefall_pipelines_tests.faults import account_matrix
from whalefall_pipelines_tests.faults.computed_matrix import CLASSIFICATION_KILLS, FORECAST_KILLS
from whalefall_pipelines_tests.faults.fault import Fault
from whalefall_pipelines_tests.faults.matrix import BACKFILL_KILLS, FAULTS, KILLS

HEADER = ("fault", "what you see", "how it heals")
_KILLS = {
    "run": KILLS,
    "backfill": BACKFILL_KILLS,
    "reading accounts": account_matrix.KILLS,
    "classifying accounts": CLASSIFICATION_KILLS,
    "making forecasts": FORECAST_KILLS,
}


def rows() -> list[list[str]]:
    """One row for all faults that look the same and recover in the same way."""
    names: dict[tuple[str, str], list[str]] = {}
    for fault in FAULTS:
        names.setdefault((_seen(fault), fault.heals), [])
        name = fault.name
        for what, kills in _KILLS.items():
            name = f"{what} killed with -9 at any of its steps" if fault in kills else name
        if name not in names[_seen(fault), fault.heals]:
            names[_seen(fault), fault.heals].append(name)
    return [["; ".join(together), seen, heals] for (seen, heals), together in names.items()]


def _seen(fault: Fault) -> str:
    words = [f"`{word}`" for word in (None if fault.ends_run else fault.code, *fault.reasons) if word]
    return f"{', '.join(words)}{': ' if words else ''}{fault.sees}"
