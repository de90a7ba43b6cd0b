"""Compiles the expression of a rule into the condition of one statement. Every literal is a parameter, and no SQL is written here.

A leaf is the answer that `sql/classification/functions/<name>.sql` selects for every account; SQL's own AND, OR and NOT are Kleene's, so
that unknown (NULL) behaves as in `evaluate.py`.
"""

import re
from dataclasses import dataclass, field
from functools import cache

from whalefall_pipelines import queries
from whalefall_pipelines.classification.answers import scope_of
from whalefall_pipelines.classification.arguments import ArgumentValue
from whalefall_pipelines.classification.functions import FUNCTIONS, expanded
from whalefall_pipelines.classification.tree import Call, Node

_ANSWER = re.compile(r"^select\s(.*)\sas answer\nfrom classified_accounts as a\s*$", re.DOTALL | re.MULTILINE)
_PARAMETER = re.compile(r"%\((\w+)\)s")
# What every leaf of a statement shares.
_SHARED = frozenset({"day"})
_EFFECTS = {"granted": "grant", "denied": "deny"}


@dataclass
class Condition:
    """A condition over `classified_accounts as a`, and the values of its parameters."""

    parameters: dict[str, object] = field(default_factory=dict[str, object])
    text: str = ""

    def add_call(self, call: Call) -> str:
        """The text of a leaf, whose parameters are numbered."""
        number = len(self.parameters)
        values: dict[str, ArgumentValue | None] = {
            **dict.fromkeys(FUNCTIONS[call.name].arguments),
            **call.arguments,
            "scope": scope_of(call.arguments),
            **_EFFECTS,
        }

        def numbered(match: re.Match[str]) -> str:
            name = match[1]
            if name in _SHARED:
                return match[0]
            value = values[name]
            self.parameters[f"{name}_{number}"] = [*value] if isinstance(value, tuple) else value
            return f"%({name}_{number})s"

        return _PARAMETER.sub(numbered, _answer(call.name))


def compile_expression(tree: Node, engine: str) -> Condition:
    """The condition that is true for the accounts of an engine for which the expression is true."""
    condition = Condition()
    condition.text = _compiled(tree, engine, condition)
    return condition


def _compiled(node: Node, engine: str, condition: Condition) -> str:
    if isinstance(node, Call):
        tree = expanded(node, engine)
        return _compiled(tree, engine, condition) if tree else f"({condition.add_call(node)})"
    parts = [_compiled(part, engine, condition) for part in node.parts]
    return f"(not {parts[0]})" if node.operator == "NOT" else f"({f' {node.operator.lower()} '.join(parts)})"


@cache
def _answer(name: str) -> str:
    """What a function selects as its answer; `{granted}` and `{denied}` are the holders of a privilege, by the effect of its facts."""
    match = _ANSWER.search(queries.load(f"classification/functions/{name}"))
    assert match, f"functions/{name}.sql does not select an answer for every account"  # noqa: S101 - the statements are ours
    answer = match[1].strip()
    holders = _without_comments(queries.load("classification/list_holders"))
    for effect in _EFFECTS:
        answer = answer.replace(f"{{{effect}}}", holders.replace("%(effect)s", f"%({effect})s"))
    return answer


def _without_comments(statement: str) -> str:
    return "\n".join(line for line in statement.splitlines() if not line.lstrip().startswith("--"))


def rule_statement(condition: Condition) -> str:
    """The statement that adds the matches of a rule."""
    return _without_comments(queries.load("classification/evaluate_rule")).replace("{condition}", condition.text)
