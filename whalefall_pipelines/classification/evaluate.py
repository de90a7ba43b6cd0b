"""The meaning of an expression for one account: Kleene's logic of true, false and unknown, with the fact behind each leaf.

The statements that evaluate all accounts at once (`store/compile.py`) are tested against it. It explains rules and runs their examples.
"""

from dataclasses import dataclass

from whalefall_pipelines.classification.facts import AccountFacts
from whalefall_pipelines.classification.functions import FUNCTIONS, expanded
from whalefall_pipelines.classification.tree import Gate, Node


@dataclass(frozen=True, slots=True)
class Explanation:
    """A node of an expression with its answer, which is None if unknown; leaves have the fact that says so."""

    label: str
    value: bool | None
    fact: str
    parts: tuple["Explanation", ...] = ()


def evaluate(node: Node, facts: AccountFacts) -> Explanation:
    """The answer of an expression for one account, and of every node of it."""
    if isinstance(node, Gate):
        parts = tuple(evaluate(part, facts) for part in node.parts)
        return Explanation(node.operator, _combined(node.operator, [part.value for part in parts]), "", parts)
    if tree := expanded(node, facts.engine):
        part = evaluate(tree, facts)
        return Explanation(node.text, part.value, "", (part,))
    ask = FUNCTIONS[node.name].answer
    assert ask is not None, f"{node.name} has neither an answer nor a tree"  # noqa: S101 - the functions are ours
    answer = ask(facts, node.arguments)
    return Explanation(node.text, answer.value, answer.fact)


def _combined(operator: str, values: list[bool | None]) -> bool | None:
    """One false decides AND, one true decides OR; otherwise one unknown makes it unknown. NOT of unknown is unknown."""
    if operator == "NOT":
        return None if values[0] is None else not values[0]
    decisive = operator == "OR"
    return decisive if decisive in values else None if None in values else not decisive
