"""Small files, small functions, and nothing at the top that does not belong there."""

import ast
from typing import Final

import pytest

from tests.tidy.project import TOP, files, product_files, tree

MAXIMUM_FILE_LINES: Final = 400
MAXIMUM_FUNCTION_LINES: Final = 60
FOLDERS: Final = {"mmsc", "protocols", "fixtures", "tests", "config", "docs", "scripts"}
FILES: Final = {"README.md", "LICENSE", "pyproject.toml", ".gitignore"}


@pytest.mark.parametrize("name", product_files())
def test_files_and_functions_fit_the_head(name: str) -> None:
    assert (TOP / name).read_text().count("\n") <= MAXIMUM_FILE_LINES
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MAXIMUM_FUNCTION_LINES, f"{name}:{node.lineno} {node.name} has {lines} lines"


def test_nothing_else_is_at_the_top() -> None:
    tops = {name.partition("/")[0] for name in files() if "/" in name and not name.startswith(".")}
    assert tops <= FOLDERS
    assert {name for name in files() if "/" not in name} == FILES


@pytest.mark.parametrize("name", product_files())
def test_every_module_says_what_it_is_for(name: str) -> None:
    if (TOP / name).stat().st_size:
        assert ast.get_docstring(tree(name)), f"{name} has no docstring"


@pytest.mark.parametrize("name", product_files())
def test_every_public_thing_is_explained(name: str) -> None:
    module = tree(name)
    owners: list[ast.Module | ast.ClassDef] = [module]
    owners += [node for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for owner in owners:
        for node in owner.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _is_public(node):
                assert ast.get_docstring(node), f"{name}:{node.lineno} {node.name} has no docstring"


def _is_public(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Private names, dunders and overloads of a described thing need no words of their own."""
    decorators = {getattr(item, "id", getattr(item, "attr", "")) for item in node.decorator_list}
    return not node.name.startswith("_") and not decorators & {"overload", "override", "setter"}


@pytest.mark.parametrize("name", product_files())
def test_nothing_is_left_for_later(name: str) -> None:
    for node in ast.walk(tree(name)):
        raised = node.exc if isinstance(node, ast.Raise) else None
        called = raised.func if isinstance(raised, ast.Call) else raised
        assert getattr(called, "id", "") != "NotImplementedError", f"{name}: a stub"
    for mark in ("TO" + "DO", "FIX" + "ME", "XX" + "X:"):
        assert mark not in (TOP / name).read_text(), f"{name} has a {mark}"
