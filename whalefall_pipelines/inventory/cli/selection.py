"""The options --tag, --engine and --zone of commands over a part of the fleet, as their parameter `selection`."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from whalefall_pipelines.domain.instances import Engine, find_engine
from whalefall_pipelines.domain.zones import zone_of
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.selection import Selection


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options. All can be repeated: an instance needs every tag, one of the engines, and one of the zones."""

    @click.option("--tag", "tags", metavar="KEY[=VALUE]", multiple=True, help="Only instances with this tag. Can be repeated.")
    @click.option("--engine", "engines", metavar="ENGINE", multiple=True, help="Only instances of this engine. Can be repeated.")
    @click.option("--zone", "zones", metavar="ZONE", multiple=True, help="Only instances of this zone, or of the centre. Can be repeated.")
    @functools.wraps(command)
    def selecting(*arguments: Any, tags: Sequence[str], engines: Sequence[str], zones: Sequence[str], **options: Any) -> Any:
        selection = Selection(tuple(map(_tag, tags)), frozenset(map(_engine, engines)), frozenset(map(zone_of, zones)))
        return command(*arguments, selection=selection, **options)

    return selecting


def _tag(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    if not key:
        raise InputError("Each --tag must be KEY or KEY=VALUE.")
    return key, value if equals else None


def _engine(name: str) -> Engine:
    engine = find_engine(name)
    if engine is None:
        raise InputError(f"--engine {name!r} is unknown; write {', '.join(Engine)}, mariadb or postgres.")
    return engine
