"""Classes of accounts by risk, the rules that put accounts into them, and one rule: replayed over past days, explained for an account."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from whalefall_pipelines.classification.edit_rules import list_classifications, list_rules, show_rule
from whalefall_pipelines.classification.evaluate import Explanation
from whalefall_pipelines.classification.model import Member, RuleVersion
from whalefall_pipelines.classification.read_classes import list_members, members_of
from whalefall_pipelines.classification.rule_files import write_rule_file
from whalefall_pipelines.classification.try_rules import Replayed, explain_rule, replay_rule
from whalefall_pipelines.console.blocks import (
    Block,
    Field,
    Links,
    Note,
    Page,
    Search,
    Table,
    Tone,
    day,
    number,
    text,
    yes_or_no,
)
from whalefall_pipelines.console.urls import account_url, rule_url, server_url
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database

REPLAYED_DAYS = 14
_MOST_REPLAYED_DAYS = 92
_ANSWERS = {True: "true", False: "false", None: "unknown"}


def classes_page(database: Database, today: date, as_of: date | None, code: str | None) -> Page:
    """The classes with how many accounts are in each on a day, the accounts of one class or of all, and the rules."""
    asked_day = as_of or today
    classes = list_classifications(database)
    members = list_members(database, members_of(database, asked_day))
    counts = Counter(member.code for member in members)
    question = Search(
        "Show",
        [
            Field(
                "class", "Class", code or "", kind="choice", options=(("", "all"), *((known.code, known.display_name) for known in classes))
            ),
            Field("day", "as of", asked_day.isoformat(), kind="date"),
        ],
    )
    overview = Table(
        "classes",
        "Classes",
        ("Class", "Risk (1 is highest)", "What it tells", "Accounts", "Meaning"),
        [
            (
                text(known.display_name),
                number(known.risk_level),
                text(known.axis),
                number(counts[known.code]),
                text(known.description or None),
            )
            for known in sorted(classes, key=lambda known: (known.axis, known.risk_level))
        ],
        "There is no class; `whalefall rules install` adds the shipped ones.",
    )
    shown = [member for member in members if code in {None, "", member.code}]
    accounts = len({(member.instance_name, member.account_name) for member in members})
    return Page(
        "Classes", f"{accounts} accounts are in a class on {asked_day}.", [question, overview, _members(shown, asked_day), _rules(database)]
    )


def _members(members: list[Member], asked_day: date) -> Table:
    rows = [
        (
            text(member.account_name, account_url(member.instance_name, member.account_name, asked_day)),
            text(member.instance_name, server_url(member.instance_name)),
            text(member.code),
            number(member.risk_level),
            text(member.rule_name or member.assigned_by, rule_url(member.rule_name) if member.rule_name else None),
            day(member.valid_from),
            text(member.notes),
        )
        for member in members
    ]
    return Table(
        "members", "Accounts", ("Account", "Server", "Class", "Risk", "Because of", "Since", "Notes"), rows, "No account is in it."
    )


def _rules(database: Database) -> Table:
    rows = [
        (
            text(rule.rule_name, rule_url(rule.rule_name)),
            number(rule.rule_version),
            text(rule.classification_code),
            text(rule.engine),
            yes_or_no(rule.is_active),
            text(rule.origin),
            text(rule.description or None),
        )
        for rule in list_rules(database)
    ]
    return Table("rules", "Rules", ("Rule", "Version", "Class", "Engine", "Active", "Origin", "Meaning"), rows, "There is no rule.")


def rule_page(database: Database, today: date, rule_name: str, days: int, account: Mapping[str, str]) -> Page:
    """One rule: its text, what it would have matched on the last days, and what it says of an account.

    Raises:
        NotFoundError: there is no such rule.
        InputError: more days are asked for than are replayed at once.
    """
    rule = show_rule(database, rule_name)
    if days > _MOST_REPLAYED_DAYS:
        raise InputError(f"At most {_MOST_REPLAYED_DAYS} days are replayed at once.")
    server, name = account.get("server", ""), account.get("account", "")
    question = Search(
        "Replay and explain",
        [
            Field("name", "", rule_name, kind="hidden"),
            Field("days", "Days", str(days), kind="number"),
            Field("server", "Server", server, "orders"),
            Field("account", "Account", name, "app"),
        ],
    )
    blocks: list[Block] = [question]
    if server and name:
        blocks.append(_explained(database, rule, server, name, today))
    replayed = list(replay_rule(database, rule.text, today - timedelta(days=days - 1), today))
    blocks += [
        _replayed(replayed),
        Note(Tone.GOOD, f"Version {rule.rule_version}, written by {rule.created_by}.", command=write_rule_file([rule.text])),
    ]
    blocks.append(Links([text("All classes and rules", "/classes")]))
    state = "is active" if rule.is_active else "is off"
    answer = f"It {state} and matches {replayed[-1].matches} accounts of {rule.engine} today, for the class {rule.classification_code}."
    return Page(rule.rule_name, answer, blocks)


def _replayed(days: list[Replayed]) -> Table:
    rows = [
        (day(entry.day), number(entry.matches), text(", ".join(entry.entered) or None), text(", ".join(entry.left) or None))
        for entry in days
    ]
    return Table("replay", "What it would have matched", ("Day", "Accounts", "New", "No longer"), rows[::-1])


def _explained(database: Database, rule: RuleVersion, server: str, name: str, today: date) -> Block:
    try:
        explained = explain_rule(database, rule.text, server, name, today)
    except (NotFoundError, InputError) as error:
        return Note(Tone.WARNING, f"{server}/{name} cannot be explained.", str(error))
    if not explained.is_of_engine:
        return Note(Tone.WARNING, f"The rule is for {rule.engine}, and {server} is another engine.", "It never matches this account.")
    rows = [
        (text(f"{'· ' * depth}{node.label}"), text(_ANSWERS[node.value]), text(node.fact or None))
        for depth, node in _nodes(explained.explanation, 0)
    ]
    title = f"What it says of {server}/{name}: {_ANSWERS[explained.explanation.value]}"
    return Table("explanation", title, ("Condition", "Answer", "Because"), rows)


def _nodes(node: Explanation, depth: int) -> Iterator[tuple[int, Explanation]]:
    yield depth, node
    for part in node.parts:
        yield from _nodes(part, depth + 1)
