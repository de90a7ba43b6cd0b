"""Files of classes and rules: our own YAML, and the JSON of the product's rules. `edit_rules.py` saves what they have.

What would fail open is refused with its reason: an empty rule, an unknown engine, class or function, an example that is not met.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import yaml

from whalefall_pipelines.classification.examples import refuse_failing_examples
from whalefall_pipelines.classification.functions import SIGNATURES, expanded
from whalefall_pipelines.classification.model import Axis, Benchmark, Classification, RuleText
from whalefall_pipelines.classification.tree import VERSION, Call, document_of, nodes, parse_expression
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.inventory.marked_yaml import has_aliases, read_yaml

_Parsed = TypeVar("_Parsed")
_MOST_LETTERS = 2_000_000
_RULE = frozenset({"name", "classification", "engine", "description", "benchmark", "expression", "examples"})
_CLASS = frozenset({"code", "display_name", "axis", "risk_level", "priority", "description"})
_BENCHMARK = frozenset({"name", "version", "section", "title"})
# What the product's exports call the same things, and what they have besides.
_PRODUCT_NAMES = {"rule_name": "name", "db_type": "engine", "rule_expression": "expression", "classification_code": "classification"}


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What a file has."""

    classifications: tuple[Classification, ...]
    rules: tuple[RuleText, ...]


def parse_rule_file(text: str, source: str) -> RuleFile:
    """The classes and rules of a YAML file, checked, with their examples run.

    Raises:
        InputError: something is not valid; the message names the rule.
    """
    document = _load(text, source)
    if not isinstance(document, Mapping) or not set(cast("Mapping[str, object]", document)) <= {"classifications", "rules"}:
        raise InputError(f"{source}: a rule file may have only the keys `classifications` and `rules`.")
    parts = cast("Mapping[str, object]", document)
    classes = _each(parts.get("classifications") or [], source, "class", "code", _classification)
    rules = _each(parts.get("rules") or [], source, "rule", "name", _rule)
    if not classes and not rules:
        raise InputError(f"{source}: the file has neither classes nor rules.")
    _refuse_duplicates([rule.rule_name for rule in rules], source)
    return RuleFile(classes, rules)


def parse_product_file(text: str, source: str) -> RuleFile:
    """The rules that the product exports: a list of objects with an expression of version 4, one to one.

    Raises:
        InputError: a rule cannot be taken over; the message says why, for every such rule.
    """
    document = _load(text, source)
    if isinstance(document, Mapping):
        document = cast("Mapping[str, object]", document).get("rules")
    if not isinstance(document, list) or not document:
        raise InputError(f"{source}: this is not a list of rules.")
    rules: list[RuleText] = []
    refused: list[str] = []
    for entry in cast("list[object]", document):
        try:
            rules.append(_product_rule(entry))
        except InputError as error:
            refused.append(str(error))
    if refused:
        why = f"{counted(len(refused), 'rule')} cannot be imported: {'; '.join(refused)}"
        raise InputError(f"{source}: nothing was imported, because {why}.")
    _refuse_duplicates([rule.rule_name for rule in rules], source)
    return RuleFile((), tuple(rules))


def check_rule(rule: RuleText) -> RuleText:
    """A rule whose expression means something for its engine, and whose examples are met.

    Raises:
        InputError: it does not.
    """
    if rule.engine not in list(Engine):
        raise InputError(f"there is no engine {rule.engine!r}; the engines are {', '.join(Engine)}")
    tree = parse_expression(rule.expression, SIGNATURES)
    for node in nodes(tree):
        if isinstance(node, Call):
            expanded(node, rule.engine)
            if node.name == "can_become" and not node.arguments:
                raise InputError("can_become needs name, like or superuser")
    refuse_failing_examples(tree, rule.engine, rule.examples)
    return RuleText(
        rule.rule_name,
        rule.classification_code,
        rule.engine,
        document_of(tree),
        rule.description,
        rule.benchmark,
        tuple(rule.examples),
    )


def write_rule_file(rules: Sequence[RuleText]) -> str:
    """Rules as the text of a file that `parse_rule_file` reads."""
    return yaml.safe_dump({"rules": [_document(rule) for rule in rules]}, sort_keys=False, allow_unicode=True, width=120)


def _document(rule: RuleText) -> dict[str, object]:
    reference = rule.benchmark
    parts: dict[str, object] = {"name": rule.rule_name, "classification": rule.classification_code, "engine": rule.engine}
    if rule.description:
        parts["description"] = rule.description
    if reference:
        names = (reference.benchmark, reference.benchmark_version, reference.section, reference.section_title)
        parts["benchmark"] = dict(zip(("name", "version", "section", "title"), names, strict=True))
    parts["expression"] = dict(cast("Mapping[str, object]", rule.expression["expr"]))
    if rule.examples:
        parts["examples"] = [dict(example) for example in rule.examples]
    return parts


def _load(text: str, source: str) -> object:
    """A document without aliases: a few letters of them stand for a million nodes."""
    if len(text) > _MOST_LETTERS:
        raise InputError(f"{source} has more than {_MOST_LETTERS} characters.")
    read_yaml(text, source)
    if has_aliases(text):
        raise InputError(f"{source}: a rule file must not have anchors or aliases.")
    return yaml.safe_load(text)


def _each(document: object, source: str, what: str, key: str, parse: Callable[[Mapping[str, Any]], _Parsed]) -> tuple[_Parsed, ...]:
    if not isinstance(document, list):
        raise InputError(f"{source}: the {what} entries must be a list.")
    parsed: list[_Parsed] = []
    for entry in cast("list[object]", document):
        name = cast("Mapping[str, object]", entry).get(key) if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"{source}: a {what} has no {key}.")
        try:
            parsed.append(parse(cast("Mapping[str, Any]", entry)))
        except InputError as error:
            raise InputError(f"{source}, {what} {name!r}: {error}.") from error
    return tuple(parsed)


def _classification(entry: Mapping[str, Any]) -> Classification:
    _refuse_others(entry, _CLASS, {"code", "axis", "risk_level"})
    if entry["axis"] not in list(Axis):
        raise InputError(f"the axis must be {' or '.join(Axis)}, not {entry['axis']!r:.60}")
    risk, priority = entry["risk_level"], entry.get("priority", 0)
    if not isinstance(risk, int) or not 1 <= risk <= 6 or not isinstance(priority, int):
        raise InputError("the risk level must be a number from 1 (highest) to 6, and the priority a number")
    code = str(entry["code"])
    if not (code[0].isalpha() and code.replace("_", "a").isalnum() and code.isascii() and code.islower() and len(code) < 64):
        raise InputError("a code must consist of lowercase letters, digits and _, and begin with a letter")
    return Classification(
        code, str(entry.get("display_name", code)), Axis(entry["axis"]), risk, priority, str(entry.get("description", ""))
    )


def _rule(entry: Mapping[str, Any]) -> RuleText:
    _refuse_others(entry, _RULE, {"name", "classification", "engine", "expression"})
    expression = {"version": VERSION, "expr": entry["expression"]}
    reference = entry.get("benchmark")
    return check_rule(
        RuleText(
            str(entry["name"]),
            str(entry["classification"]),
            str(entry["engine"]),
            expression,
            str(entry.get("description", "")),
            None if reference is None else _benchmark(reference),
            entry.get("examples") or (),
        )
    )


def _benchmark(entry: object) -> Benchmark:
    if not isinstance(entry, Mapping):
        raise InputError("a benchmark must have name, version, section and title")
    parts = cast("Mapping[str, object]", entry)
    _refuse_others(parts, _BENCHMARK, _BENCHMARK)
    return Benchmark(*(str(parts[name]) for name in ("name", "version", "section", "title")))


def _product_rule(entry: object) -> RuleText:
    """One rule of the product. Its expression may be a text of JSON; what it has besides (identifiers, dates) is left behind."""
    if not isinstance(entry, Mapping):
        raise InputError("an entry is not a rule")
    named = {_PRODUCT_NAMES.get(str(key), str(key)): value for key, value in cast("Mapping[object, Any]", entry).items()}
    name = named.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InputError("a rule has no name")
    try:
        expression = named.get("expression")
        if isinstance(expression, str):
            expression = _load(expression, "its expression")
        if not expression:
            raise InputError("it is empty and would match everyone")  # noqa: TRY301 - the sentence needs the name of the rule
        if not isinstance(expression, Mapping) or "version" not in expression:
            raise InputError("its expression is a flat list of privileges and not of version 4; write it as a tree")  # noqa: TRY301
        for key in ("classification", "engine"):
            if not isinstance(named.get(key), str):
                raise InputError(f"it has no {key}")  # noqa: TRY301
        document = cast("Mapping[str, Any]", expression)
        return check_rule(RuleText(name, named["classification"], named["engine"], document, str(named.get("description") or "")))
    except InputError as error:
        raise InputError(f"rule {name!r}: {error}") from error


def _refuse_others(entry: Mapping[str, object], known: frozenset[str], required: frozenset[str] | set[str]) -> None:
    others = sorted(str(key) for key in entry if key not in known)
    if others:
        raise InputError(f"there is no key {', '.join(others)}; the keys are {', '.join(sorted(known))}")
    missing = sorted(key for key in required if entry.get(key) in (None, ""))
    if missing:
        raise InputError(f"{', '.join(missing)} is missing")


def _refuse_duplicates(names: Sequence[str], source: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{source}: these rules occur twice: {', '.join(twice)}.")
