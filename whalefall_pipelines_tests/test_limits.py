"""Modules, functions and bodies of assets stay small, as CONTRIBUTING.md says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "whalefall_pipelines"
MODULES = sorted(PACKAGE.rglob("*.py"))
# An asset's body is what Dagster calls; rules and statements are elsewhere.
ASSETS = ("dg.asset(", "dg.multi_asset(", "dg.op(")


def functions(module: Path) -> Iterator[ast.FunctionDef]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def length(*nodes: ast.stmt) -> int:
    return (nodes[-1].end_lineno or 0) - nodes[0].lineno + 1


def is_asset(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator).startswith(ASSETS) for decorator in function.decorator_list)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_a_module_and_its_functions_are_small(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) < 250
    assert [function.name for function in functions(module) if length(function) >= 40] == []
    assert [function.name for function in functions(module) if is_asset(function) and length(*function.body) > 15] == []
