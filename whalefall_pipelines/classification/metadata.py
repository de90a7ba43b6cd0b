"""What the Dagster UI shows of a day of classes: figures that are plotted over time, tables, and the two checks."""

from collections.abc import Iterable, Sequence
from datetime import date

import dagster as dg

from whalefall_pipelines.classification.model import ClassCount, Member, NewMember, Outcome
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, Metadata, markdown_table
from whalefall_pipelines.domain.quantities import counted

_ASSET = "account_classifications"
_EVALUATED, _ANNOUNCED = "every_rule_was_evaluated", "no_unannounced_privileged_account"
CHECKS = [
    dg.AssetCheckSpec(
        _EVALUATED,
        asset=_ASSET,
        description="Fails if a rule could not be evaluated, or if an engine has accounts but no rule, and names the accounts.",
    ),
    dg.AssetCheckSpec(
        _ANNOUNCED,
        asset=_ASSET,
        description="Warns if an account became privileged without having been assigned to the class by hand before.",
    ),
]


def class_metadata(codes: Iterable[str], counts: Sequence[ClassCount], changes: Sequence[Member], day: date, outcome: Outcome) -> Metadata:
    """The metadata of `account_classifications` for a day: each class has a figure of its own name, which Dagster plots, also a 0."""
    totals = dict.fromkeys(codes, 0)
    for count in counts:
        totals[count.code] += count.accounts
    rows = [(count.code, count.axis, count.risk_level, count.engine, count.accounts, count.entered, count.gone) for count in counts]
    return {
        **totals,
        "entered": sum(count.entered for count in counts),
        "left": sum(count.gone for count in counts),
        "rules": outcome.rules,
        "failed_rules": len(outcome.problems),
        "dagster/partition_row_count": sum(totals.values()),
        **markdown_table("accounts per class and engine", ("class", "axis", "risk level", "engine", "accounts", "entered", "left"), rows),
        **markdown_table("entered and left", ("instance", "account", "class", "what", "by"), _changes(changes, day)),
        **markdown_table("errors", ("what", "why", "accounts", "first of them"), _problems(outcome)),
    }


def evaluation_check(outcome: Outcome) -> dg.AssetCheckResult:
    """Whether every rule was evaluated."""
    why = "; ".join(problem.sentence for problem in outcome.problems)
    evaluated = counted(outcome.rules, "rule was evaluated", "rules were evaluated") if outcome.rules else "no rule was evaluated"
    return dg.AssetCheckResult(
        asset_key=_ASSET,
        check_name=_EVALUATED,
        passed=not outcome.problems,
        description=why or evaluated,
        metadata={
            "failed_rules": len(outcome.problems),
            **markdown_table("errors", ("what", "why", "accounts", "first of them"), _problems(outcome)),
        },
    )


def announcement_check(members: Sequence[NewMember]) -> dg.AssetCheckResult:
    """Whether every account that became privileged was announced."""
    named = ", ".join(f"{member.instance_name}/{member.account_name}" for member in members[:5])
    rows = [(member.instance_name, member.account_name, ", ".join(member.rule_names)) for member in members[:MOST_ROWS]]
    return dg.AssetCheckResult(
        asset_key=_ASSET,
        check_name=_ANNOUNCED,
        passed=not members,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{counted(len(members), 'account')} became privileged without an announcement: {named}"
        if members
        else "no account became privileged without an announcement",
        metadata={"new_privileged": len(members), **markdown_table("accounts", ("instance", "account", "rules"), rows)},
    )


def _changes(changes: Iterable[Member], day: date) -> list[tuple[object, ...]]:
    return [
        (
            member.instance_name,
            member.account_name,
            member.code,
            "left" if member.valid_until == day else "entered",
            member.rule_name or member.assigned_by,
        )
        for member in changes
    ]


def _problems(outcome: Outcome) -> list[tuple[object, ...]]:
    return [(problem.subject, problem.message, problem.account_count, ", ".join(problem.account_names)) for problem in outcome.problems]
