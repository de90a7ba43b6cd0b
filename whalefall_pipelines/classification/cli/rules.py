"""`whalefall rules`: what puts accounts into classes. `try_out.py` has test, replay and explain."""

import getpass
from collections.abc import Sequence
from pathlib import Path

import click

from whalefall_pipelines.classification import edit_rules
from whalefall_pipelines.classification.cli.try_out import explain, replay, test
from whalefall_pipelines.classification.edit_rules import SavedRule
from whalefall_pipelines.classification.model import RuleVersion
from whalefall_pipelines.classification.rule_files import write_rule_file
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, cell, list_options, note, print_json, print_table

_FILE = click.Path(path_type=Path)


@click.group()
def rules() -> None:
    """Show and change the rules that put accounts into classes."""


@rules.command("list")
@list_options
def list_(*, form: Form) -> None:
    """List the current version of each rule."""
    with open_store(load_settings()) as database:
        listed = edit_rules.list_rules(database)
    rows = [
        {
            "rule": rule.rule_name,
            "version": rule.rule_version,
            "class": rule.classification_code,
            "axis": rule.axis,
            "engine": rule.engine,
            "active": rule.is_active,
            "origin": rule.origin,
            "benchmark": rule.text.benchmark and rule.text.benchmark.text,
        }
        for rule in listed
    ]
    columns = ("rule", "version", "class", "axis", "engine", "active", "origin", "benchmark")
    print_table(
        columns, rows, form=form, empty="There are no rules. `whalefall rules install` adds the shipped ones.", droppable=("benchmark",)
    )


@rules.command()
@click.argument("rule")
@click.option("--version", "version", type=click.IntRange(min=1), help="An older version; the current one by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of YAML.")
def show(*, rule: str, version: int | None, as_json: bool) -> None:
    """Show a rule in the file format that `rules edit` reads."""
    with open_store(load_settings()) as database:
        shown = edit_rules.show_rule(database, rule, version)
    if as_json:
        print_json(_document(shown))
        return
    state = "superseded" if shown.superseded_at else "active" if shown.is_active else "off"
    click.echo(f"# version {shown.rule_version}, {state}, written by {cell(shown.created_by)} at {cell(shown.created_at)} ({shown.origin})")
    click.echo(write_rule_file([shown.text]), nl=False)


@rules.command()
@click.argument("file", type=_FILE)
def add(*, file: Path) -> None:
    """Add the classes and rules of a YAML file. Their examples run first, and nothing is saved unless everything is valid."""
    with open_store(load_settings()) as database:
        _print(edit_rules.add_rules(database, file, getpass.getuser()))


@rules.command()
@click.argument("file", type=_FILE)
def edit(*, file: Path) -> None:
    """Create a new version of each rule in a YAML file. The old versions and their matches are kept."""
    with open_store(load_settings()) as database:
        _print(edit_rules.edit_rules(database, file, getpass.getuser()))


@rules.command("import")
@click.argument("file", type=_FILE)
def import_(*, file: Path) -> None:
    """Add rules that were exported as JSON (version 4), unchanged. A rule that would match everyone is refused with the reason."""
    with open_store(load_settings()) as database:
        _print(edit_rules.import_rules(database, file, getpass.getuser()))


@rules.command()
def install() -> None:
    """Add the shipped classes and rules, and bring them up to date. Rules that someone edited or switched off do not change."""
    with open_store(load_settings()) as database:
        saved = edit_rules.install_rules(database)
    changed = [rule for rule in saved if rule.change in {"added", "updated"}]
    if changed:
        _print(changed)
    kept = sum(rule.change.startswith("kept") for rule in saved)
    installed = counted(len(changed), "rule was added or updated", "rules were added or updated")
    left = counted(kept, "was kept because someone changed it", "were kept because someone changed them")
    note(f"{installed}, {left}, and the others are current.")


@rules.command()
@click.argument("rule")
def disable(*, rule: str) -> None:
    """Switch a rule off. The next evaluation ends its assignments; `rules edit` with its file switches it on again."""
    with open_store(load_settings()) as database:
        disabled = edit_rules.disable_rule(database, rule)
    note(f"The rule {cell(disabled.rule_name)} is off; the next evaluation ends what it assigned.")


@rules.command()
@list_options
def classes(*, form: Form) -> None:
    """List the classes."""
    with open_store(load_settings()) as database:
        listed = edit_rules.list_classifications(database)
    rows = [
        {"class": each.code, "name": each.display_name, "axis": each.axis, "risk_level": each.risk_level, "description": each.description}
        for each in listed
    ]
    print_table(("class", "name", "axis", "risk_level", "description"), rows, form=form, empty="There are no classes.")


@rules.command("delete-class")
@click.argument("code")
def delete_class(*, code: str) -> None:
    """Delete a class that no rule or account uses or has ever used."""
    with open_store(load_settings()) as database:
        edit_rules.delete_classification(database, code)
    note(f"The class {cell(code)} was deleted.")


def _print(saved: Sequence[SavedRule]) -> None:
    rows = [{"rule": rule.rule_name, "version": rule.rule_version, "change": rule.change} for rule in saved]
    print_table(("rule", "version", "change"), rows, empty="The file contains only classes.")


def _document(rule: RuleVersion) -> dict[str, object]:
    return {
        "rule": rule.rule_name,
        "version": rule.rule_version,
        "class": rule.classification_code,
        "engine": rule.engine,
        "description": rule.description,
        "expression": rule.expression,
        "benchmark": rule.text.benchmark and rule.text.benchmark.text,
        "examples": rule.examples,
        "origin": rule.origin,
        "created_by": rule.created_by,
        "created_at": rule.created_at,
        "is_active": rule.is_active,
        "superseded_at": rule.superseded_at,
    }


for command in (test, replay, explain):
    rules.add_command(command)
