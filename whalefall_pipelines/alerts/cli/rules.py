"""`whalefall alerts rules`: what is watched, with which thresholds, and where messages go."""

import getpass
from collections.abc import Mapping
from pathlib import Path

import click

from whalefall_pipelines.alerts import configure
from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.rule_files import write_alert_file
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, cell, list_options, note, print_table


@click.group()
def rules() -> None:
    """Show and change rules and channels."""


@rules.command("list")
@list_options
def list_(*, form: Form) -> None:
    """List the rules with their thresholds."""
    with open_store(load_settings()) as database:
        listed = configure.list_rules(database)
    rows = [
        {
            "rule": stored.rule.rule_name,
            "condition": stored.rule.condition,
            "tags": _pairs(stored.rule.tags),
            "thresholds": _pairs(CONDITIONS[stored.rule.condition].values(stored.rule.thresholds)),
            "active": stored.rule.is_active,
            "changed_by": stored.changed_by,
        }
        for stored in listed
    ]
    print_table(("rule", "condition", "tags", "thresholds", "active", "changed_by"), rows, form=form, droppable=("changed_by", "condition"))


@rules.command()
def show() -> None:
    """Show all rules, channels and windows as the file that `alerts rules import` reads."""
    with open_store(load_settings()) as database:
        click.echo(write_alert_file(configure.export_file(database)), nl=False)


@rules.command()
@list_options
def conditions(*, form: Form) -> None:
    """List the conditions of rules, with every threshold and its default."""
    rows = [
        {"condition": condition.name, "threshold": name, "default": threshold.default, "meaning": threshold.meaning}
        for condition in CONDITIONS.values()
        for name, threshold in condition.all_thresholds.items()
    ]
    print_table(("condition", "threshold", "default", "meaning"), rows, form=form)


@rules.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(*, file: Path) -> None:
    """Add and change rules, channels and windows from a YAML file. Examples run first; nothing is saved unless everything is valid."""
    settings = load_settings()
    with open_store(settings) as database:
        saved = configure.import_file(database, settings, file, getpass.getuser())
    note(f"Saved: {counted(saved.rules, 'rule')}, {counted(saved.channels, 'channel')}, {counted(saved.blackouts, 'window')}.")


@rules.command()
@click.argument("rule")
def disable(*, rule: str) -> None:
    """Switch off a rule. Its alerts clear at the next evaluation."""
    with open_store(load_settings()) as database:
        configure.switch_rule(database, rule, getpass.getuser(), is_active=False)
    note(f"The rule {cell(rule)} is off.")


@rules.command()
@click.argument("rule")
def enable(*, rule: str) -> None:
    """Switch on a rule again."""
    with open_store(load_settings()) as database:
        configure.switch_rule(database, rule, getpass.getuser(), is_active=True)
    note(f"The rule {cell(rule)} is on.")


@rules.command("remove-channel")
@click.argument("channel")
def remove_channel(*, channel: str) -> None:
    """Stop sending messages to a channel."""
    with open_store(load_settings()) as database:
        configure.remove_channel(database, channel)
    note(f"Nothing is sent to the channel {cell(channel)} any more.")


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
