"""The addresses of the pages. Names are in the query: a database may be called `a/b` or `..`."""

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from whalefall_pipelines.domain.zones import name_of


def server_url(instance_name: str) -> str:
    """The page of a server."""
    return _url("/server", {"name": instance_name})


def database_url(instance_name: str, database_name: str) -> str:
    """The page of a database."""
    return _url("/database", {"server": instance_name, "name": database_name})


def growth_url(days: int, by: str, within: str) -> str:
    """What grew in these days, by databases, servers or values of a tag, of some servers."""
    return _url("/growth", {"days": str(days), "by": by, "within": within})


def zone_url(zone: str | None) -> str:
    """The servers of a zone."""
    return _url("/instances", {"zone": name_of(zone)})


def accounts_url(instance_name: str) -> str:
    """The accounts of a server."""
    return f"{_url('/access', {'server': instance_name})}#accounts"


def alert_url(alert_id: int) -> str:
    """The page of an alert."""
    return _url("/alert", {"id": str(alert_id)})


def explanation_url(instance_name: str, database_name: str, day: date) -> str:
    """Why the size of a database on a day is what it is."""
    return _url("/explain", {"server": instance_name, "name": database_name, "day": day.isoformat()})


def missing_url(day: date) -> str:
    """What is missing on a day."""
    return _url("/missing", {"day": day.isoformat()})


def session_url(session_id: UUID) -> str:
    """The page of a session."""
    return _url("/session", {"id": str(session_id)})


def account_url(instance_name: str, account_name: str, day: date) -> str:
    """The page of an account as of a day."""
    return _url("/account", {"server": instance_name, "name": account_name, "day": day.isoformat()})


def class_url(code: str, day: date) -> str:
    """The accounts in a class on a day."""
    return _url("/classes", {"class": code, "day": day.isoformat()})


def rule_url(rule_name: str) -> str:
    """The page of a rule that puts accounts into a class."""
    return _url("/rule", {"name": rule_name})


def _url(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}"
