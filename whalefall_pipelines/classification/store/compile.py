"""Compiles rules of an engine into one statement. Every literal is a parameter, and no SQL is written here.

A question that several rules ask is answered once: each is a column, which `sql/classification/functions/<name>.sql` selects for every
account. SQL's own AND, OR and NOT are Kleene's, so that unknown (NULL) behaves as in `evaluate.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from whalefall_pipelines import queries
from whalefall_pipelines.classification.answers import scope_of
from whalefall_pipelines.classification.arguments import ArgumentValue
from whalefall_pipelines.classification.functions import FUNCTIONS, SIGNATURES, expanded
from whalefall_pipelines.classification.tree import Call, Gate, Node, parse_expression

_ANSWER = re.compile(r"^select\s(.*)\sas answer\nfrom classified_accounts as a\s*$", re.DOTALL | re.MULTILINE)
_PARAMETER = re.compile(r"%\((\w+)\)s")
# What all questions of a statement share.
_SHARED = frozenset({"day", "engine"})
_EFFECTS = {"granted": "grant", "denied": "deny"}


@dataclass
class Statement:
    """A statement that adds the matches of rules, and the values of its parameters but `day`.

    `answers` has the name and the text of the column for each question.
    """

    parameters: dict[str, object]
    answers: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    conditions: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """The statement."""
        answers = ",\n".join(f"{answer} as {column}" for column, answer in self.answers.values())
        template = _without_comments(queries.load("classification/evaluate_rules"))
        return template.replace("{answers}", answers).replace("{rules}", ",\n".join(self.conditions))

    def add_rule(self, rule_id: int, tree: Node) -> None:
        """Add the matches of a rule."""
        name = f"rule_{len(self.conditions)}"
        self.parameters[name] = rule_id
        self.conditions.append(f"case when {self._condition(tree)} then %({name})s end")

    def _condition(self, node: Node) -> str:
        if isinstance(node, Call):
            return self._column(node)
        parts = [self._condition(part) for part in node.parts]
        return f"(not {parts[0]})" if node.operator == "NOT" else f"({f' {node.operator.lower()} '.join(parts)})"

    def _column(self, call: Call) -> str:
        """The column with the answer to a question."""
        if call.text not in self.answers:
            number = len(self.answers)
            self.answers[call.text] = f"answer_{number}", self._answer(call, number)
        return self.answers[call.text][0]

    def _answer(self, call: Call, number: int) -> str:
        """The text of an answer, whose parameters have the number of its column."""
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

        return f"({_PARAMETER.sub(numbered, _template(call.name))})"


def parse_rule(expression: Mapping[str, object], engine: str) -> Node:
    """The tree of a rule of an engine, without the functions that only stand for other trees.

    Raises:
        InputError: it is not valid, or means nothing for this engine.
    """
    return _expanded(parse_expression(expression, SIGNATURES), engine)


def compile_rules(trees: Mapping[int, Node], engine: str) -> Statement:
    """The statement for these trees by their rules."""
    statement = Statement({"engine": engine})
    for rule_id, tree in trees.items():
        statement.add_rule(rule_id, tree)
    return statement


def _expanded(node: Node, engine: str) -> Node:
    if isinstance(node, Gate):
        return Gate(node.operator, tuple(_expanded(part, engine) for part in node.parts))
    tree = expanded(node, engine)
    return node if tree is None else _expanded(tree, engine)


@cache
def _template(name: str) -> str:
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
