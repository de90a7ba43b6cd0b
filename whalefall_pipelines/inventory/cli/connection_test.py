"""`whalefall instances test`: whether registered servers can be collected from, and what to do where they cannot."""

from collections import defaultdict
from collections.abc import Sequence

import click

from whalefall_pipelines import settings
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import TargetError
from whalefall_pipelines.fleet.probe import Right
from whalefall_pipelines.inventory.connection_test import ConnectionTest, server_tester
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances
from whalefall_pipelines.inventory.replace_key import refuse_other_key
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.terminal.output import FAILURE, PARTIAL, cell, error_console, json_option, leave, note, print_json, print_table

_COLUMNS = (
    *("name", "address", "version", "identity", "started", "driver", "connect_seconds", "round_trip_seconds"),
    *("visible", "measurable", "hidden", "result"),
)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
def test(*, names: Sequence[str], as_json: bool) -> None:
    """Tell whether servers can be measured.

    Connects, lists and measures, compares who the servers are with what is registered, and keeps nothing but their versions and
    identities. Without a NAME every active server is tested. Says what the login
    needs at least on each engine, and where it is missing.
    Exit codes: 0 all of them are fine, 1 some have a problem, 2 none can be reached.
    """
    given = settings.load()
    with open_store(given) as database:
        tester = server_tester(given, database)
        instances = [one.instance for one in registered_instances(database, names)] if names else active_instances(database)
        refuse_other_key(given, database)
        with error_console().status(f"Visiting {len(instances)} servers …"):
            found = tester.test_all(instances)
    if as_json:
        print_json([_document(one) for one in found])
    else:
        print_table(_COLUMNS, [_row(one) for one in found], as_json=False, empty="No instance is active, so there is none to test.")
        for sentence in (*_least_rights(found), *_missing_rights(found), *_advice(found)):
            click.echo(sentence)
    if found and not any(one.is_reached for one in found):
        leave(FAILURE)
    if not all(one.is_fine for one in found):
        note(f"{sum(not one.is_fine for one in found)} of {len(found)} instances have a problem.")
        leave(PARTIAL)


def _row(one: ConnectionTest) -> dict[str, object]:
    return {
        "name": one.instance.name,
        "address": one.instance.address,
        "version": one.server_version,
        "identity": one.identity.name if one.identity else None,
        "started": one.identity.started_at if one.identity else None,
        "driver": one.driver,
        "connect_seconds": _rounded(one.connect_seconds),
        "round_trip_seconds": _rounded(one.round_trip_seconds),
        "visible": one.visible,
        "measurable": one.measurable,
        "hidden": one.hidden,
        "result": _reason(one) or ("fine" if one.is_fine else "sizes missing"),
    }


def _document(one: ConnectionTest) -> dict[str, object]:
    return {
        **_row(one),
        "total_bytes": one.total_bytes,
        "error": str(one.error) if one.error else None,
        "rights": [
            {"purpose": right.purpose, "statement": right.statement, "held": right.is_held, "optional": right.is_optional}
            for right in one.rights
        ],
        "missing": [{"database": gap.database_name, "reason": gap.reason, "detail": gap.detail} for gap in one.missing],
    }


def _least_rights(found: Sequence[ConnectionTest]) -> list[str]:
    """What a login needs on each engine that was reached, and how many have it."""
    rights: defaultdict[tuple[str, str], list[Right]] = defaultdict(list)
    for one in found:
        for right in one.rights:
            rights[one.instance.engine, right.purpose].append(right)
    return [
        f"{engine}, to {purpose}{' (optional)' if group[0].is_optional else ''}: {cell(group[0].statement)} "
        f"Held on {sum(right.is_held for right in group)} of {len(group)} servers."
        for (engine, purpose), group in sorted(rights.items())
    ]


def _missing_rights(found: Sequence[ConnectionTest]) -> list[str]:
    return [
        f"{cell(one.instance.name)} is missing the privilege to {cell(right.purpose)}{' (optional)' if right.is_optional else ''}: "
        f"{cell(right.statement)}"
        for one in found
        for right in one.rights
        if not right.is_held
    ]


def _advice(found: Sequence[ConnectionTest]) -> list[str]:
    errors = [f"{cell(one.instance.name)}: {cell(one.error)}" for one in found if one.error]
    return errors + [_cure(one, cell(gap.database_name), gap.reason, cell(gap.detail)) for one in found for gap in one.missing]


def _cure(one: ConnectionTest, database: str, reason: Reason, detail: str) -> str:
    where = f"{cell(one.instance.name)}: {database}"
    return f"{where} cannot be measured, run there: {detail}" if reason is Reason.NO_PERMISSION else f"{where} cannot be measured: {detail}"


def _reason(one: ConnectionTest) -> str | None:
    return one.error.reason if isinstance(one.error, TargetError) else one.error.code if one.error else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
