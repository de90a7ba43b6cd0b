"""Converts rows to dataclasses by column name. The order of the columns does not matter, and an unknown column is an error."""

from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from whalefall_pipelines.store.database import Cursor

Model = TypeVar("Model")


def fetch_as(cursor: Cursor, model: type[Model], **extra_fields: object) -> tuple[Model, ...]:
    """The rows of the last statement as dataclasses. `extra_fields` have no column and the same value in every row.

    Enumerations, UUIDs and tuples are converted to the type of the field; other values stay as the driver returns them.

    Raises:
        TypeError: the columns are not the fields of the model.
    """
    if extra_fields or cursor.column_names() != list(_converters(model)):
        return tuple(as_model(row, model, **extra_fields) for row in fetch_rows(cursor))
    # The columns are the fields in their order, so that no row needs a dictionary: that is most of the time of a long list.
    converted = [(place, converter) for place, converter in enumerate(_converters(model).values()) if converter]
    models: list[Model] = []
    for row in cursor.fetchall():
        values = list(row)
        for place, converter in converted:
            values[place] = _convert(values[place], converter)
        models.append(model(*values))
    return tuple(models)


def fetch_rows(cursor: Cursor) -> list[dict[str, Any]]:
    """The rows of the last statement as dictionaries by column name."""
    rows = cursor.fetchall()
    names = cursor.column_names()
    return [dict(zip(names, row, strict=True)) for row in rows]


def as_model(row: dict[str, Any], model: type[Model], **extra_fields: object) -> Model:
    """One row as a dataclass."""
    converters = _converters(model)
    return model(**{name: _convert(value, converters.get(name)) for name, value in row.items()}, **extra_fields)


def take(row: dict[str, Any], model: type[Model]) -> Model:
    """Build a dataclass from those columns of a row that are its fields, and remove them from the row."""
    return as_model({name: row.pop(name) for name in set(row) & set(_converters(model))}, model)


def _convert(value: object, converter: Callable[[Any], object] | None) -> object:
    return value if value is None or converter is None else converter(value)


@cache
def _converters(model: type[Any]) -> dict[str, Callable[[Any], object] | None]:
    """The fields of a model in their order, each with what converts its values, if anything does."""
    hints = get_type_hints(model)
    return {field.name: _converter(hints[field.name]) for field in fields(model) if field.init}


def _converter(hint: Any) -> Callable[[Any], object] | None:
    if isinstance(hint, UnionType):
        return next(filter(None, map(_converter, get_args(hint))), None)
    if get_origin(hint) is tuple:
        return tuple
    if hint is UUID:
        return lambda value: UUID(str(value))  # psycopg2 returns text or UUID, depending on a process-wide registration
    return hint if isinstance(hint, type) and issubclass(hint, Enum) else None
