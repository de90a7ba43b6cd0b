"""Asset checks of accounts and their privileges."""

from datetime import date

import dagster as dg

from whalefall_pipelines.accounts.assets import ACCOUNTS, PRIVILEGES
from whalefall_pipelines.accounts.store import reports
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, markdown_table
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import days_of
from whalefall_pipelines.domain.quantities import counted


@dg.asset_check(
    asset=ACCOUNTS,
    description="Fails if the accounts of an active instance were not read on the last day of the run (today, if executed alone).",
)
def every_active_instance_was_observed(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        unobserved = reports.list_unobserved(database, _day(context, whalefall))
    rows = [(instance.instance_name, instance.observed_on, instance.error_message) for instance in unobserved[:MOST_ROWS]]
    named = ", ".join(instance.instance_name for instance in unobserved[:5])
    return dg.AssetCheckResult(
        passed=not unobserved,
        description=f"{counted(len(unobserved), 'was', 'were')} not observed: {named}"
        if unobserved
        else "every active instance was observed",
        metadata={"not_observed": len(unobserved), **markdown_table("instances", ("instance", "last observed", "error"), rows)},
    )


@dg.asset_check(asset=ACCOUNTS, description="Warns if an account is a superuser that was not one at the previous observation.")
def no_account_gained_superuser(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        superusers = reports.list_new_superusers(database, _day(context, whalefall))
    rows = [(account.instance_name, account.account_name) for account in superusers[:MOST_ROWS]]
    named = ", ".join(f"{instance}/{account}" for instance, account in rows[:5])
    return dg.AssetCheckResult(
        passed=not superusers,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{counted(len(superusers), 'new superuser')}: {named}" if superusers else "no account gained superuser",
        metadata={"new_superusers": len(superusers), **markdown_table("accounts", ("instance", "account"), rows)},
    )


@dg.asset_check(asset=PRIVILEGES, description="Warns if something could not be read and no statement is known that would fix it.")
def nothing_is_unreadable_without_a_cure(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        gaps = reports.list_gaps(database, _day(context, whalefall))
    incurable = [gap for gap in gaps if gap.cure is None and gap.account_name is None]
    rows = [(gap.instance_name, gap.what, gap.reason, gap.detail) for gap in incurable[:MOST_ROWS]]
    named = "; ".join(f"{instance}: {what} ({reason})" for instance, what, reason, _ in rows[:5])
    return dg.AssetCheckResult(
        passed=not incurable,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(incurable)} unreadable without a known fix: {named}"
        if incurable
        else f"{len(gaps)} unread, each with a statement that fixes it",
        metadata={"without_cure": len(incurable), **markdown_table("gaps", ("instance", "unknown", "reason", "detail"), rows)},
    )


def _day(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> date:
    """The last day of the run that the check belongs to; today if it is executed alone."""
    return max(days_of(context.run.tags, DAYS), default=whalefall.today())
