"""The generated pages of docs/reference, made from the code that they describe. `make docs` writes them; a test compares them.

What a page says in words is here; what can be read from the code is read from it.
"""

import ast
import inspect
import json
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path

import click
from pydantic.fields import FieldInfo

os.environ.setdefault("WHALEFALL_TIMEZONE", "UTC")  # the definitions are loaded without a store, and no page shows a time zone

from whalefall_pipelines import errors
from whalefall_pipelines.api.app import create_app
from whalefall_pipelines.areas import areas
from whalefall_pipelines.classification.edit_rules import SHIPPED
from whalefall_pipelines.classification.functions import FUNCTIONS
from whalefall_pipelines.classification.rule_files import parse_rule_file
from whalefall_pipelines.classification.tree import MOST_DEPTH, MOST_NODES
from whalefall_pipelines.cli.main import main as whalefall
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import RecordStatus, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.domain.sizes import Provenance
from whalefall_pipelines.settings.group import range_of
from whalefall_pipelines.settings.load import groups
from whalefall_pipelines_tests.faults.table import HEADER, rows

DOCS = Path(__file__).parents[2] / "docs"
OPENAPI = DOCS / "reference" / "openapi.json"
MARK = "<!-- Generated from the code by `make docs`; do not edit. -->"


def pages() -> Mapping[str, str]:
    """The text of every generated page, by its path in docs/."""
    texts = {
        "commands": _commands(),
        "settings": _settings(),
        "tables": _tables(),
        "states-and-reasons": _states(),
        "errors": _errors(),
        "assets": _assets(),
        "faults": _faults(),
        "rules": _rules(),
    }
    return {f"reference/{name}.md": "\n\n".join([MARK, *parts]) + "\n" for name, parts in texts.items()}


def _table(header: Sequence[str], body: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *([str(cell).replace("|", "\\|") for cell in row] for row in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(names: Sequence[object]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _commands() -> Iterator[str]:
    yield "# Commands"
    yield (
        "Every command exits with 0 if everything worked, with 1 if some of it did, and with 2 if nothing did. Commands that print a "
        "table have `--json` for programs. Progress and notes go to standard error. `whalefall --debug COMMAND` shows the traceback of an "
        "error."
    )
    yield from _help(whalefall, click.Context(whalefall, info_name="whalefall", help_option_names=["-h", "--help"]))


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    context.terminal_width = 80
    if context.parent:
        yield f"{'#' * len(context.command_path.split())} {context.command_path}"
    yield f"```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child
            yield from _help(child, click.Context(child, info_name=name, parent=context))


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield (
        "Settings are environment variables. They can also be set in `settings.env` in the home folder, one `NAME=value` on a "
        "line, so that every command and service uses the same values; the environment has priority. An invalid value is refused with a "
        "message that names the variable."
    )
    for title in dict.fromkeys(group.title for group in groups()):
        yield f"## {title}"
        rows = [row for group in groups() if group.title == title for row in group.variables().items()]
        yield _table(("variable", "default", "meaning"), [(f"`{name}`", _default(field), field.description) for name, field in rows])


def _default(field: FieldInfo) -> str:
    if field.examples:
        return str(field.examples[0])
    default: object = field.default
    shown = ",".join(str(part) for part in default) if isinstance(default, tuple) else default
    limits = f" ({range_of(field).partition(' from ')[2]})" if isinstance(default, int | float) else ""
    return f"`{shown}`{limits}"


def _tables() -> Iterator[str]:
    yield "# Tables"
    yield (
        "These are the tables and columns that queries and dashboards may rely on. Unknown is NULL, never 0. Sizes are bytes. Dates are "
        "days in the time zone of the store. The tables of sizes and aggregations have one table partition for each calendar month. "
        "[Query the store](../howto/query-the-store.md) has examples."
    )
    for area in areas():
        for name, columns in area.columns.items():
            yield f"## {name}"
            yield _table(("column", "type", "meaning"), [(f"`{column}`", kind, meaning) for column, kind, meaning in columns])


def _states() -> Iterator[str]:
    yield "# States and reasons"
    yield (
        "Every expected database of every day is measured, recovered, estimated or missing. A missing size has a reason. A database "
        "that was not in the inventory on a day is not expected on that day."
    )
    groups: Mapping[str, tuple[type[Enum], str]] = {
        "Provenance of a size": (Provenance, "`provenance` in `database_size_stats` and `instance_size_stats`."),
        "Reasons": (Reason, "`reason` in `capacity_gaps`. The column `detail` beside it says what happened and what to do."),
        "Status of a session": (SessionStatus, "`status` in `sync_sessions`. A session begins as running; an ended session never changes."),
        "Status of a record": (RecordStatus, "`status` in `sync_instance_records`: one record for each instance of a session."),
        "Category of a session": (SyncCategory, "`sync_category` in `sync_sessions`."),
        "Type of a session": (SyncType, "`sync_type` in `sync_sessions`: what started it."),
    }
    for title, (kind, place) in groups.items():
        yield f"## {title}"
        yield place
        meanings = _meanings(kind)
        yield _table(("value", "meaning"), [(f"`{member.value}`", meanings[member.name]) for member in kind])


def _meanings(kind: type[Enum]) -> Mapping[str, str]:
    """The docstring under each member of an enum, by the name of the member."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        target.id: str(text.value.value)
        for member, text in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        for target in member.targets
        if isinstance(target, ast.Name)
    }


def _errors() -> Iterator[str]:
    yield "# Errors"
    yield (
        "An error message says what was tried, on what, and what to do next. Its code is in `error_code` of a session or a record. "
        "A transient error may go away on its own, so it is retried."
    )
    yield _table(("error", "code", "transient", "meaning"), list(_error_rows(errors.WhalefallError)))


def _error_rows(kind: type[errors.WhalefallError], depth: int = 0) -> Iterator[tuple[str, str, str, str]]:
    if depth:
        meaning = " ".join((inspect.getdoc(kind) or "").split())
        yield f"{'&nbsp;&nbsp;' * (depth - 1)}`{kind.__name__}`", f"`{kind.code}`", "yes" if kind.is_transient else "no", meaning
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:  # others exist only where their module was imported
            yield from _error_rows(child, depth + 1)


def _assets() -> Iterator[str]:
    graph, repository = defs.resolve_asset_graph(), defs.get_repository_def()
    yield "# Assets and automation"
    yield "What the Dagster UI shows: the assets with their checks, the jobs, and the schedules and sensors that launch them."
    yield "## Assets"
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        yield f"### {key.to_user_string()}"
        parents = sorted(parent.to_user_string() for parent in node.parent_keys)
        yield f"Group `{node.group_name}`{f', from {_code(parents)}' if parents else ''}."
        yield str(node.description)
    yield "## Checks"
    checks = [graph.get_check_spec(key) for key in sorted(graph.asset_check_keys, key=str)]
    yield _table(
        ("check", "asset", "meaning"),
        [(f"`{check.name}`", f"`{check.asset_key.to_user_string()}`", check.description) for check in checks],
    )
    yield "## Jobs"
    jobs = [job for job in repository.get_all_jobs() if job.description]
    yield _table(("job", "meaning"), [(f"`{job.name}`", job.description) for job in sorted(jobs, key=lambda job: job.name)])
    yield "## Schedules"
    yield "All schedules are on from the first start, in the time zone of the store."
    schedules = sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
    yield _table(
        ("schedule", "job", "meaning"), [(f"`{schedule.name}`", f"`{schedule.job_name}`", schedule.description) for schedule in schedules]
    )
    yield "## Sensors"
    yield "All sensors are on from the first start."
    sensors = sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
    yield _table(
        ("sensor", "interval", "meaning"),
        [(f"`{sensor.name}`", f"{sensor.minimum_interval_seconds} s", sensor.description) for sensor in sensors],
    )


def _rules() -> Iterator[str]:
    yield "# Rules and their functions"
    yield (
        "A rule puts the accounts of one engine into one class. Its expression is a tree of `AND`, `OR` and `NOT` (of one part) over the "
        f"functions below, at most {MOST_DEPTH} levels deep and of at most {MOST_NODES} nodes. Each returns true, false or unknown. "
        "Unknown never matches, and neither does its negation. A pattern is a LIKE pattern: `%` matches any characters, `_` matches one."
    )
    yield "## Functions"
    yield _table(
        ("function", "arguments", "meaning"),
        [
            (
                f"`{name}`",
                ", ".join(f"`{key}`{'' if argument.is_required else '?'}" for key, argument in function.arguments.items()),
                function.meaning,
            )
            for name, function in FUNCTIONS.items()
        ],
    )
    yield "Arguments with `?` are optional."
    yield "## Shipped rules"
    yield (
        "`whalefall rules install` adds them. `whalefall rules show RULE` prints a rule with its examples. Sections of benchmarks are from "
        "their published lists and move between editions: compare number and title with your edition before you report them."
    )
    rules = [rule for path in sorted(SHIPPED.glob("*.yaml")) for rule in parse_rule_file(path.read_text(), path.name).rules]
    yield _table(
        ("rule", "class", "what it finds", "benchmark"),
        [
            (f"`{rule.rule_name}`", f"`{rule.classification_code}`", rule.description, rule.benchmark.text if rule.benchmark else "")
            for rule in rules
        ],
    )


def _faults() -> Iterator[str]:
    yield "# Faults"
    yield (
        "This page lists what you see when something fails, and how it heals. `make test-faults` causes every fault with real servers, "
        "networks, processes, daemons and stores, and with fake servers and clocks where real ones cannot cause it. After each fault it "
        "checks that no row is duplicated, that every total is the sum of its rows, that nothing is invented, that no other day has "
        "changed, that nothing is left running, and that the next run heals the day."
    )
    yield _table(HEADER, rows())


def main() -> None:
    """Write every generated page, and the OpenAPI document."""
    for path, text in pages().items():
        (DOCS / path).write_text(text, encoding="utf-8")
    OPENAPI.write_text(json.dumps(create_app().openapi(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
