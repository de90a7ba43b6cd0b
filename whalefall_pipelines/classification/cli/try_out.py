"""`whalefall rules test`, `replay` and `explain`: what a rule says, without switching it on."""

from collections.abc import Iterator
from datetime import datetime

import click

from whalefall_pipelines.accounts.cli.options import as_of_option, day_of
from whalefall_pipelines.classification.evaluate import Explanation
from whalefall_pipelines.classification.try_rules import explain_rule, find_rules, replay_rule, try_rule
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.cli.completion import complete_instance
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, cell, json_option, list_options, note, print_json, print_table

_DAY = click.DateTime(["%Y-%m-%d"])
_MOST_NAMES = 20
_WORDS = {True: "true", False: "false", None: "unknown"}


@click.command()
@click.argument("rule")
@list_options
def test(*, rule: str, form: Form) -> None:
    """Run the examples of a rule, or of each rule of a file, and show what it matches today. Nothing is saved."""
    with open_store(load_settings()) as database:
        day = day_of(database, None)
        tested = [try_rule(database, each, day) for each in find_rules(database, rule)]
    rows = [
        {"rule": each.rule.rule_name, "examples": len(each.rule.examples), "matches": len(each.matches), "accounts": _names(each.matches)}
        for each in tested
    ]
    print_table(("rule", "examples", "matches", "accounts"), rows, form=form)


@click.command()
@click.argument("rule")
@click.option("--start", type=_DAY, required=True, metavar="DAY", help="The first day.")
@click.option("--end", type=_DAY, metavar="DAY", help="The last day; today by default.")
@list_options
def replay(*, rule: str, start: datetime, end: datetime | None, form: Form) -> None:
    """Show what a rule, or a file with one rule, would have matched on past days, based on the facts that were stored then."""
    with open_store(load_settings()) as database:
        rules = find_rules(database, rule)
        if len(rules) != 1:
            raise InputError(f"{rule} has {len(rules)} rules; a replay needs a file with one rule.")
        replayed = list(replay_rule(database, rules[0], start.date(), day_of(database, end)))
    rows = [{"day": each.day, "matches": each.matches, "entered": _names(each.entered), "left": _names(each.left)} for each in replayed]
    print_table(("day", "matches", "entered", "left"), rows, form=form)


@click.command()
@click.argument("rule")
@click.argument("instance", shell_complete=complete_instance)
@click.argument("account")
@as_of_option
@json_option
def explain(*, rule: str, instance: str, account: str, as_of: datetime | None, as_json: bool) -> None:
    """Show why a rule does or does not match an account: the tree with true, false or unknown, and the fact behind each leaf."""
    with open_store(load_settings()) as database:
        rules = find_rules(database, rule)
        if len(rules) != 1:
            raise InputError(f"{rule} has {len(rules)} rules; an explanation needs a file with one rule.")
        explained = explain_rule(database, rules[0], instance, account, day_of(database, as_of))
    if as_json:
        print_json({"rule": rules[0].rule_name, "instance": instance, "account": account, "tree": _document(explained.explanation)})
        return
    for line in _lines(explained.explanation, 0):
        click.echo(line)
    if not explained.is_of_engine:
        note(f"The rule is for {explained.rule.engine}, so it never matches this account.")


def _names(names: tuple[str, ...]) -> str | None:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more or None


def _lines(explanation: Explanation, depth: int) -> Iterator[str]:
    answer = _WORDS[explanation.value]
    yield f"{answer:<8}{'  ' * depth}{cell(explanation.label)}{f': {cell(explanation.fact)}' if explanation.fact else ''}"
    for part in explanation.parts:
        yield from _lines(part, depth + 1)


def _document(explanation: Explanation) -> dict[str, object]:
    parts = [_document(part) for part in explanation.parts]
    return {"node": explanation.label, "answer": _WORDS[explanation.value], "fact": explanation.fact or None, "parts": parts}
