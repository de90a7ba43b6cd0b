"""Reads YAML values with their lines and as the text that was written: `port: 5432` and `name: no` are texts.

No objects are constructed, so no tag can run code. Error messages never repeat the file's content, which may contain a password.
"""

import re
from collections.abc import Callable, Iterator
from typing import Protocol, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from whalefall_pipelines.errors import InputError


class Loader(Protocol):
    """The part of PyYAML's untyped loaders that is used here."""

    def check_event(self) -> bool: ...
    def get_event(self) -> yaml.Event: ...
    def get_single_node(self) -> Node | None: ...


PYTHON_LOADER = cast("Callable[[str], Loader]", yaml.SafeLoader)
# libyaml's loader is four times faster, but some builds of PyYAML are without it.
LOADER = cast("Callable[[str], Loader]", yaml.CSafeLoader) if yaml.__with_libyaml__ else PYTHON_LOADER
_DEEPEST = 50  # libyaml's loader crashes the whole process on 100,000 open brackets
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "timestamp"))
_NULL_TAG = "tag:yaml.org,2002:null"


class YamlProblem(Exception):  # noqa: N818 - a finding to collect, not an error that leaves the domain
    """A problem in a file, and its line."""

    def __init__(self, line: int, sentence: str) -> None:
        """Keep the line separate, because problems are sorted by line."""
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


def read_yaml(text: str, source: str, loader: Callable[[str], Loader] = LOADER) -> Node | None:
    """The root of one YAML document, or None if it is empty.

    Raises:
        InputError: it is not YAML; the message has the line.
    """
    try:
        _refuse_depths(loader(text), source)
        return loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = _without_content(error.problem or "")
    except yaml.YAMLError:
        line, problem = 1, "it contains a character that YAML forbids"
    raise InputError(f"{source}, line {line}: this is not valid YAML: {problem}.")


def _refuse_depths(loader: Loader, source: str) -> None:
    depth = 0
    while loader.check_event():
        event = loader.get_event()
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputError(f"{source}, line {event.start_mark.line + 1}: this is nested too deeply.")


def has_aliases(text: str) -> bool:
    """Whether a YAML document repeats a part of itself by its name: a few letters then stand for a million values."""
    loader = LOADER(text)
    while loader.check_event():
        if isinstance(loader.get_event(), yaml.AliasEvent):
            return True
    return False


def line_of(node: Node) -> int:
    """The line on which a value begins, counted from 1."""
    return node.start_mark.line + 1


def fields(node: Node, what: str) -> Iterator[tuple[str, Node]]:
    """The keys of a mapping and their values, in the order of the file.

    Raises:
        YamlProblem: it is not a mapping, or has a duplicate key.
    """
    if not isinstance(node, MappingNode):
        raise YamlProblem(line_of(node), f"{what} must be a mapping of keys to values.")
    seen: set[str] = set()
    for key_node, value in node.value:
        key = text_of(key_node, f"a key of {what}") or ""
        if key in seen:
            raise YamlProblem(line_of(key_node), f"{what} has a duplicate key.")
        seen.add(key)
        yield key, value


def items(node: Node, what: str) -> list[Node]:
    """The items of a list.

    Raises:
        YamlProblem: it is not a list.
    """
    if not isinstance(node, SequenceNode):
        raise YamlProblem(line_of(node), f"{what} must be a list.")
    return list(node.value)


def text_of(node: Node, what: str) -> str | None:
    """A single value as it was written; None for `null`, `~` and an empty value.

    Raises:
        YamlProblem: it is a list, a mapping or a tagged value.
    """
    if isinstance(node, ScalarNode) and node.tag == _NULL_TAG:
        return None
    if not isinstance(node, ScalarNode) or node.tag not in _PLAIN_TAGS:
        raise YamlProblem(line_of(node), f"{what} must be a single plain value.")
    return str(node.value)


def _without_content(problem: str) -> str:
    # PyYAML quotes the file ("found undefined alias 'hunter2'") but also its own tokens ("but found '<scalar>'").
    return re.split(r"""\s*\(?['"](?!<)""", problem, maxsplit=1)[0] or "it cannot be read"
