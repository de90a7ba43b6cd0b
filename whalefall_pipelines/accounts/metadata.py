"""Metadata of a day of accounts in the Dagster UI: figures that are plotted over time, and tables."""

from collections.abc import Iterable

from whalefall_pipelines.accounts.figures import Change, DayFigures, GapRow
from whalefall_pipelines.dagster_base.metadata import Metadata, markdown_table

_CHANGE = ("instance", "account", "what changed", "after")
_GAP = ("instance", "unknown", "reason", "what to do")


def account_metadata(figures: DayFigures, changes: Iterable[Change], gaps: Iterable[GapRow]) -> Metadata:
    """The metadata of `instance_accounts` for a day."""
    rows = [_change_row(change) for change in changes if change.change_type != "modify_privilege"]
    return {
        **markdown_table("not readable", _GAP, [(gap.instance_name, gap.what, gap.reason, gap.cure or gap.detail) for gap in gaps]),
        "instances": figures.instances,
        "accounts": figures.accounts,
        "built_in_accounts": figures.built_in,
        "new": figures.created,
        "gone": figures.gone,
        "superusers": figures.superusers,
        "unread_scopes": figures.unread,
        "dagster/partition_row_count": figures.accounts,
        **markdown_table("changed accounts", _CHANGE, rows),
    }


def privilege_metadata(figures: DayFigures, changes: Iterable[Change]) -> Metadata:
    """The metadata of `account_privileges` for a day."""
    rows = [_change_row(change) for change in changes if change.change_type == "modify_privilege"]
    return {
        "privileges": figures.privileges,
        "memberships": figures.memberships,
        "changed_privileges": figures.changed,
        "unread_scopes": figures.unread,
        "dagster/partition_row_count": figures.privileges,
        **markdown_table("granted and revoked", _CHANGE, rows),
    }


def _change_row(change: Change) -> tuple[object, ...]:
    return (change.instance_name, change.account_name, change.sentence, change.observed_before)
