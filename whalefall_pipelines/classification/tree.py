"""The expression of a rule: a tree of AND, OR and NOT over functions of facts (version 4), and what makes one valid.

`functions.py` has the functions, `evaluate.py` the meaning of the tree for one account, `store/compile.py` its statement.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from whalefall_pipelines.classification.arguments import Argument, ArgumentValue
from whalefall_pipelines.errors import InputError

VERSION = 4
MOST_DEPTH, MOST_NODES = 16, 200
Operator = Literal["AND", "OR", "NOT"]


@dataclass(frozen=True, slots=True)
class Call:
    """A question about an account: a function and its arguments."""

    name: str
    arguments: Mapping[str, ArgumentValue]

    @property
    def text(self) -> str:
        """How people read it, with values as in the file of the rule: `has_role(name="dba")`."""
        return f"{self.name}({', '.join(f'{name}={json.dumps(value, ensure_ascii=False)}' for name, value in self.arguments.items())})"


@dataclass(frozen=True, slots=True)
class Gate:
    """AND, OR, or NOT of one."""

    operator: Operator
    parts: tuple["Node", ...]


Node = Call | Gate


def parse_expression(document: object, signatures: Mapping[str, Mapping[str, Argument]]) -> Node:
    """The tree of `{version: 4, expr: …}`. `signatures` has the arguments of every known function.

    Raises:
        InputError: it is not valid; the message has the path of the part that is not.
    """
    if not isinstance(document, Mapping) or set(cast("Mapping[object, object]", document)) != {"version", "expr"}:
        raise InputError("an expression must be {version: 4, expr: …}")
    expression = cast("Mapping[str, object]", document)
    if expression["version"] != VERSION or isinstance(expression["version"], bool):
        raise InputError(f"the version of an expression must be {VERSION}, not {expression['version']!r}")
    tree = _parse(expression["expr"], "expr", 1, signatures)
    count = sum(1 for _ in nodes(tree))
    if count > MOST_NODES:
        raise InputError(f"an expression may have at most {MOST_NODES} nodes, but this one has {count}")
    return tree


def nodes(tree: Node) -> Iterator[Node]:
    """Every node of a tree."""
    yield tree
    for part in tree.parts if isinstance(tree, Gate) else ():
        yield from nodes(part)


def document_of(tree: Node) -> dict[str, object]:
    """The tree as it is stored."""
    return {"version": VERSION, "expr": _document(tree)}


def _document(tree: Node) -> dict[str, object]:
    if isinstance(tree, Call):
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in tree.arguments.items()}
        return {"fn": tree.name, "args": values}
    return {"op": tree.operator, "args": [_document(part) for part in tree.parts]}


def _parse(document: object, path: str, depth: int, signatures: Mapping[str, Mapping[str, Argument]]) -> Node:
    if depth > MOST_DEPTH:
        raise InputError(f"{path}: an expression may be at most {MOST_DEPTH} levels deep")
    if not isinstance(document, Mapping):
        raise InputError(f"{path}: a node is {{op: …, args: [...]}} or {{fn: …, args: {{…}}}}")
    node = cast("Mapping[str, object]", document)
    if set(node) == {"op", "args"}:
        return _gate(node, path, depth, signatures)
    if set(node) in ({"fn", "args"}, {"fn"}):
        return _call(node, path, signatures)
    raise InputError(f"{path}: a node must have exactly op and args, or fn and args")


def _gate(node: Mapping[str, object], path: str, depth: int, signatures: Mapping[str, Mapping[str, Argument]]) -> Gate:
    operator, parts = node["op"], node["args"]
    if operator not in ("AND", "OR", "NOT"):
        raise InputError(f"{path}: the operator must be AND, OR or NOT, not {operator!r}")
    if not isinstance(parts, list) or not parts:
        raise InputError(f"{path}: {operator} without parts would match everyone or no one; it needs at least one part")
    listed = cast("list[object]", parts)
    if operator == "NOT" and len(listed) != 1:
        raise InputError(f"{path}: NOT must have exactly one part, not {len(listed)}")
    if len(listed) > MOST_NODES:
        raise InputError(f"{path}: an expression may have at most {MOST_NODES} nodes")
    return Gate(operator, tuple(_parse(part, f"{path}.{operator}[{place}]", depth + 1, signatures) for place, part in enumerate(listed)))


def _call(node: Mapping[str, object], path: str, signatures: Mapping[str, Mapping[str, Argument]]) -> Call:
    name, values = node["fn"], node.get("args", {})
    if not isinstance(name, str) or name not in signatures:
        raise InputError(f"{path}: there is no function {name!r}; the functions are {', '.join(sorted(signatures))}")
    if not isinstance(values, Mapping):
        raise InputError(f"{path}: the arguments of {name} must be a mapping of names to values")
    return Call(name, _arguments(name, cast("Mapping[str, object]", values), path, signatures[name]))


def _arguments(name: str, values: Mapping[str, object], path: str, signature: Mapping[str, Argument]) -> dict[str, ArgumentValue]:
    unknown = sorted(str(key) for key in values if key not in signature)
    if unknown:
        raise InputError(f"{path}: {name} has no argument {', '.join(unknown)}; it has {', '.join(signature) or 'none'}")
    missing = [key for key, argument in signature.items() if argument.is_required and values.get(key) is None]
    if missing:
        raise InputError(f"{path}: {name} needs {', '.join(missing)}")
    return {key: signature[key].parse(value, f"{path}: {key} of {name}") for key, value in values.items() if value is not None}
