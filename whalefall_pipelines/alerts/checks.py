"""Asset checks of the conditions that have none where their figures are made, by the statements of the alert rules.

Limits, jumps of headroom, intervals and newly privileged accounts are checked in `forecasts/checks.py`, `accounts/checks.py` and
`classification/assets.py`, sizes that are missing or moved in `capacity/checks.py`, months ahead in `retention/assets.py`.
"""

from collections.abc import Iterable

import dagster as dg

from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.evaluate import Met, what_is_met
from whalefall_pipelines.alerts.model import Severity
from whalefall_pipelines.capacity.assets import INVENTORY, SIZES, TOTALS
from whalefall_pipelines.classification.assets import CLASSES
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, markdown_table
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import days_of
from whalefall_pipelines.retention.footprint import ASSET as FOOTPRINT

# The name of each check says what is so when it passes.
_CHECKED = (
    ("no_limit_is_nearly_used", SIZES, ("headroom",)),
    ("no_database_shrank", SIZES, ("shrink",)),
    ("no_database_vanished", INVENTORY, ("vanished",)),
    ("enough_databases_have_a_size", TOTALS, ("coverage",)),
    ("no_server_is_silent_for_days", TOTALS, ("missing_days",)),
    ("no_login_is_rejected", TOTALS, ("login_rejected",)),
    ("nights_end_and_sessions_finish", TOTALS, ("collector_stale", "unfinished_sessions")),
    ("whalefall_is_within_its_budget", FOOTPRINT, ("footprint",)),
    ("no_class_changed", CLASSES, ("class_changed",)),
)
_SEVERITIES = {Severity.CRITICAL: dg.AssetCheckSeverity.ERROR}


def _check(name: str, asset: dg.AssetKey, conditions: tuple[str, ...]) -> dg.AssetChecksDefinition:
    meanings = " or ".join(CONDITIONS[condition].meaning for condition in conditions)

    @dg.asset_check(asset=asset, name=name, description=f"Warns if {meanings}; an error if its alert rule calls it critical.")
    def check(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
        day = max(days_of(context.run.tags, DAYS), default=whalefall.today())
        with whalefall.store() as database:
            met = what_is_met(database, conditions, day, whalefall.now())
        return _result(met)

    return check


def _result(met: Iterable[Met]) -> dg.AssetCheckResult:
    rows = sorted(met, key=lambda finding: -finding.severity.rank)
    named = "; ".join(f"{finding.subject}: {finding.sentence}" for finding in rows[:5])
    cells = [(finding.subject, finding.rule_name, finding.severity, finding.sentence) for finding in rows[:MOST_ROWS]]
    table = markdown_table("met", ("subject", "rule", "severity", "what"), cells)
    return dg.AssetCheckResult(
        passed=not rows,
        severity=_SEVERITIES.get(rows[0].severity, dg.AssetCheckSeverity.WARN) if rows else dg.AssetCheckSeverity.WARN,
        description=f"{len(rows)}: {named}" if rows else "nothing is wrong",
        metadata={"met": len(rows), **table},
    )


CHECKS = [_check(*checked) for checked in _CHECKED]
