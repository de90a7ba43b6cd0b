"""An action: its form, the route of the API that carries it out, and the page that shows the answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.console.blocks import Field, Form, Page

# What was sent by a form, and the data of an answer of the API.
Values = Mapping[str, str]
Data = Any
_NOTHING: Values = MappingProxyType({})


def body_of(values: Values) -> Mapping[str, Any]:
    """The body of a request: what was filled in, as text; the API converts it."""
    return {name: text for name, text in values.items() if text}


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person may do. `route` is that of the API below its prefix; its names in braces are hidden fields of the form.

    `body` makes the body of the request from the other fields, and `show` a page from the data of the answer.
    """

    name: str
    title: str
    route: str
    show: Callable[[Data, Values], Page]
    scope: Scope = Scope.OPERATE
    method: str = "POST"
    fields: Sequence[Field] = ()
    hint: str = ""
    body: Callable[[Values], Mapping[str, Any]] = body_of

    def form(self, values: Values = _NOTHING, *, is_open: bool = False, options: Sequence[tuple[str, str]] = ()) -> Form:
        """The form with these values; those without a field are hidden. `options` are those of its choices that have none yet."""
        fields = [replace(field, content=values.get(field.name, field.content), options=field.options or options) for field in self.fields]
        hidden = {name: text for name, text in values.items() if name not in {field.name for field in self.fields}}
        return Form(self.name, self.title, self.scope, fields, hidden, self.hint, is_open)
