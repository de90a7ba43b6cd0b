"""YAML whose values remember their line, and stay the text that was written: `port: 5432` and `name: no` are texts here.

Nothing is constructed, so no tag can run code. What went wrong is told without the file's content, which may hold a password.
"""

import re
from collections.abc import Callable, Iterator
from typing import Protocol, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from whalefall_pipelines.errors import InputError


class Loader(Protocol):
    """What is used of PyYAML's loaders, which come without types."""

    def check_event(self) -> bool: ...
    def get_event(self) -> yaml.Event: ...
    def get_single_node(self) -> Node | None: ...


PYTHON_LOADER = cast("Callable[[str], Loader]", yaml.SafeLoader)
# libyaml's loader is four times faster, but some builds of PyYAML are without it.
LOADER = cast("Callable[[str], Loader]", yaml.CSafeLoader) if yaml.__with_libyaml__ else PYTHON_LOADER
_DEEPEST = 50  # libyaml's loader ends the whole process on 100,000 open brackets
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "timestamp"))
_NULL_TAG = "tag:yaml.org,2002:null"


class YamlProblem(Exception):  # noqa: N818 - a finding to collect, not an error that leaves the domain
    """One thing that is wrong in a file, and where."""

    def __init__(self, line: int, sentence: str) -> None:
        """Keep both apart: findings are sorted by line."""
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


def read_yaml(text: str, source: str, loader: Callable[[str], Loader] = LOADER) -> Node | None:
    """The root of one YAML document, None of an empty one.

    Raises:
        InputError: it is no YAML; the sentence has the line.
    """
    try:
        _refuse_depths(loader(text), source)
        return loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = _without_content(error.problem or "")
    except yaml.YAMLError:
        line, problem = 1, "it holds a character that YAML forbids"
    raise InputError(f"{source}, line {line}: this is no YAML: {problem}.")


def _refuse_depths(loader: Loader, source: str) -> None:
    depth = 0
    while loader.check_event():
        event = loader.get_event()
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputError(f"{source}, line {event.start_mark.line + 1}: this is nested too deeply.")


def line_of(node: Node) -> int:
    """The line on which a value begins, counted from one."""
    return node.start_mark.line + 1


def fields(node: Node, what: str) -> Iterator[tuple[str, Node]]:
    """The keys of a mapping and their values, in the order of the file.

    Raises:
        YamlProblem: it is no mapping, or says a key twice.
    """
    if not isinstance(node, MappingNode):
        raise YamlProblem(line_of(node), f"{what} must be a mapping of keys to values.")
    seen: set[str] = set()
    for key_node, value in node.value:
        key = text_of(key_node, f"a key of {what}") or ""
        if key in seen:
            raise YamlProblem(line_of(key_node), f"{what} says the same key twice.")
        seen.add(key)
        yield key, value


def items(node: Node, what: str) -> list[Node]:
    """The items of a list.

    Raises:
        YamlProblem: it is no list.
    """
    if not isinstance(node, SequenceNode):
        raise YamlProblem(line_of(node), f"{what} must be a list.")
    return list(node.value)


def text_of(node: Node, what: str) -> str | None:
    """A single value as it was written, None of `null`, `~` and nothing.

    Raises:
        YamlProblem: it is a list, a mapping or something that is tagged.
    """
    if isinstance(node, ScalarNode) and node.tag == _NULL_TAG:
        return None
    if not isinstance(node, ScalarNode) or node.tag not in _PLAIN_TAGS:
        raise YamlProblem(line_of(node), f"{what} must be a single plain value.")
    return str(node.value)


def _without_content(problem: str) -> str:
    # PyYAML quotes the file ("found undefined alias 'hunter2'") but also its own tokens ("but found '<scalar>'").
    return re.split(r"""\s*\(?['"](?!<)""", problem, maxsplit=1)[0] or "it cannot be read"
