"""Actions on servers: register, import, change, test, collect, read accounts, enable, disable, remove."""

from collections.abc import Mapping
from typing import Any

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.console.actions.action import Action, Data, Values, body_of
from whalefall_pipelines.console.blocks import (
    Block,
    Card,
    Cards,
    Field,
    Form,
    Forms,
    Links,
    Note,
    Page,
    Table,
    Tone,
    number,
    problem,
    size,
    text,
    yes_or_no,
)
from whalefall_pipelines.console.urls import server_url
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.quantities import counted, format_size
from whalefall_pipelines.domain.zones import name_of
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.entry_change import CLEARABLE_KEYS
from whalefall_pipelines.inventory.fleet_entries import SSL_MODES, split_tag
from whalefall_pipelines.inventory.registration import RegisteredInstance, describe_secret

_HINT = (
    "Passwords are not entered here. whalefall's server reads a password when it is needed, from a variable (env:NAME) or a file "
    "(file:/PATH); `whalefall instances set --password-prompt` stores one encrypted."
)
_ADDRESS = (
    Field("host", "Host", example="db1.example", is_required=True),
    Field("port", "Port", kind="number"),
    Field("database", "Database to connect to first"),
    Field("username", "User name", example="whalefall"),
    Field("secret", "Password reference", example="env:DB1_PASSWORD"),
    Field("sslmode", "Encryption", kind="choice", options=(("", "as the driver does"), *((mode, mode) for mode in SSL_MODES))),
    Field("sslrootcert", "File with trusted certificates"),
    Field("capacity_limit", "Full at", example="500GiB"),
    Field("zone", "Zone from which it is reached", example="centre"),
    Field("tags", "Tags, one key=value per line", kind="lines", example="env=prod"),
)


def _tags(values: Values) -> dict[str, str]:
    lines = [line.strip() for line in values.get("tags", "").replace(",", "\n").splitlines() if line.strip()]
    pairs = [split_tag(line) for line in lines]
    if None in pairs:
        raise InputError("Write each tag as key=value, one per line.")
    return dict(pair for pair in pairs if pair)


def _new_server(values: Values) -> Mapping[str, Any]:
    return {**body_of(values), "tags": _tags(values)}


def _changed_server(values: Values) -> Mapping[str, Any]:
    return {**body_of(values), "tags": _tags(values), "clear": [key for key in CLEARABLE_KEYS if key in values and not values[key]]}


def _to_server(sentence: str) -> Any:
    def show(data: Data, _: Values) -> Page:
        return Page(data["name"], sentence, [Links([text("The server", server_url(data["name"]))])])

    return show


def _removed(data: Data, _: Values) -> Page:
    answer = "The server was removed from the fleet, and its history is kept. Adding a server with the same name continues it."
    return Page(data["name"], answer, [Links([text("All servers", "/instances")])])


def _tested(data: Data, _: Values) -> Page:
    cards = Cards(
        [
            Card("Version", text(data["server_version"]), "as the server says"),
            Card("Connected in", number(None if data["connect_seconds"] is None else round(data["connect_seconds"], 3), " s")),
            Card("Databases", number(data["visible"]), f"{counted(data['hidden'] or 0, 'more is', 'more are')} hidden by the filter"),
            Card("Measurable", number(data["measurable"])),
            Card("Size", size(data["total_bytes"]), "of the measurable databases"),
        ]
    )
    blocks: list[Block] = [cards]
    if data["grant_to_list"]:
        blocks.append(problem("Not every database can be listed.", data["grant_to_list"]))
    blocks += [problem(f"{missing['database_name']}: {missing['reason']}.", missing["detail"]) for missing in data["missing"]]
    privileges = [
        (text(held["purpose"]), yes_or_no(held["is_held"]), yes_or_no(held["is_optional"]), text(held["statement"]))
        for held in data["privileges"]
    ]
    blocks.append(Table("privileges", "Privileges of the login", ("For", "Held", "Optional", "Statement"), privileges))
    answer = "All databases can be measured." if data["is_fine"] else "The server answers, but some databases cannot be measured."
    return Page(f"Test of {data['name']}", answer, [*blocks, Links([text("The server", server_url(data["name"]))])])


def _collected(data: Data, _: Values) -> Page:
    missing = [problem(f"{database['database_name']}: {database['reason']}.", database["detail"]) for database in data["missing"]]
    notices = [Note(Tone.WARNING, notice) for notice in data["notices"]]
    cards = Cards([Card("Databases", number(data["database_count"]), "measured"), Card("Size", size(data["total_bytes"]))])
    links = Links([text("The server", server_url(data["instance_name"]))])
    return Page(data["instance_name"], data["message"], [cards, *missing, *notices, links])


def _accounts_read(data: Data, _: Values) -> Page:
    answer = f"{counted(data['accounts'], 'account was', 'accounts were')} read."
    return Page(data["instance_name"], answer, [Links([text("Access", "/access")])])


def _planned(data: Data, values: Values) -> Page:
    rows = [
        (text(entry["action"]), text(entry["kind"]), text(entry["name"]), text("; ".join(entry["changes"]) or None))
        for entry in data["entries"]
    ]
    table = Table("plan", "Plan", ("Step", "What", "Name", "Changes"), rows, "Everything in the file is registered already.")
    blocks: list[Block] = [Note(Tone.PROBLEM, sentence) for sentence in data["problems"]]
    blocks += [Note(Tone.WARNING, f"{name} could not be identified.", "Its first probe checks it.") for name in data["unreached"]]
    blocks.append(table)
    unchanged = counted(data["unchanged"], "server is unchanged", "servers are unchanged")
    untouched = counted(data["untouched"], "more is not in the file and stays as it is", "more are not in the file and stay as they are")
    rest = f"{unchanged}; {untouched}."
    if data["is_done"]:
        return Page("Import", f"The plan was carried out. {rest}", [*blocks, Links([text("All servers", "/instances")])])
    if rows and not data["problems"]:
        blocks.append(Forms([CARRY_OUT.form({"file": values["file"], "form": values["form"], "plan": data["digest"], "dry_run": "false"})]))
    return Page("Import", f"Nothing is registered yet. {rest}", blocks)


ADD = Action(
    "add-server",
    "Add a server",
    "/instances",
    _to_server("The server is registered. Test the connection next."),
    Scope.ADMIN,
    fields=(
        Field("name", "Name", example="db1", is_required=True),
        Field("engine", "Engine", kind="choice", options=tuple((engine, engine) for engine in Engine)),
        *_ADDRESS,
    ),
    hint=_HINT,
    body=_new_server,
)
CHANGE = Action(
    "change-server",
    "Change the server",
    "/instances/{instance_id}",
    _to_server("The server was changed."),
    Scope.ADMIN,
    "PATCH",
    (*_ADDRESS, Field("is_moved", "The server was moved or rebuilt: continue its history", kind="checkbox")),
    _HINT,
    _changed_server,
)
IMPORT = Action(
    "import-servers",
    "Import a fleet file: show the plan",
    "/instances/actions/import",
    _planned,
    Scope.ADMIN,
    fields=(
        Field("file", "Fleet file", kind="lines", example="instances:\n  - {name: db1, host: db1.example, …}", is_required=True),
        Field("form", "Format", kind="choice", options=(("yaml", "YAML"), ("csv", "CSV"))),
    ),
    hint="Nothing is registered until you confirm the plan. The plan is carried out completely or not at all.",
)
CARRY_OUT = Action("carry-out-import", "Carry out this plan", "/instances/actions/import", _planned, Scope.ADMIN)
TEST = Action("test-server", "Test the connection", "/instances/{instance_id}/actions/test", _tested)
COLLECT = Action("collect-server", "Collect now", "/instances/{instance_id}/actions/sync-capacity", _collected)
READ_ACCOUNTS = Action("read-accounts", "Read accounts now", "/instances/{instance_id}/actions/sync-accounts", _accounts_read)
ENABLE = Action(
    "enable-server", "Enable", "/instances/{instance_id}/actions/enable", _to_server("The server is collected again."), Scope.ADMIN
)
DISABLE = Action(
    "disable-server", "Disable", "/instances/{instance_id}/actions/disable", _to_server("The server is no longer collected."), Scope.ADMIN
)
REMOVE = Action(
    "remove-server",
    "Remove the server",
    "/instances/{instance_id}",
    _removed,
    Scope.ADMIN,
    "DELETE",
    (Field("sure", "Remove it from the fleet; its history is kept", kind="checkbox", is_required=True),),
    body=lambda _: {},
)
ACTIONS = (ADD, CHANGE, IMPORT, CARRY_OUT, TEST, COLLECT, READ_ACCOUNTS, ENABLE, DISABLE, REMOVE)


def change_form(registered: RegisteredInstance) -> Form:
    """The form that changes a server, with what it is now."""
    entry, login = registered.entry, registered.login
    secret = describe_secret(login.secret)
    return CHANGE.form(
        {
            "instance_id": str(registered.instance_id),
            "host": entry.host,
            "port": str(entry.port),
            "database": entry.database or "",
            "username": login.username,
            # A password that is stored encrypted stays if the field is left empty.
            "secret": "" if secret in {None, "encrypted"} else str(secret),
            "sslmode": entry.sslmode or "",
            "sslrootcert": entry.sslrootcert or "",
            "capacity_limit": "" if entry.capacity_limit_bytes is None else format_size(entry.capacity_limit_bytes),
            "zone": name_of(entry.zone),
            "tags": "\n".join(f"{key}={value}" for key, value in sorted(entry.tags.items())),
        }
    )
