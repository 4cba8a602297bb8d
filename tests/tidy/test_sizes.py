"""Small files, small functions, and nothing at the top that does not belong there."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.tidy.project import TOP, files, product_files, tree

MAXIMUM_FILE_LINES: Final = 400
MAXIMUM_FUNCTION_LINES: Final = 60
FOLDERS: Final = {"mmsc", "protocols", "fixtures", "tests", "config", "docs", "scripts"}
FILES: Final = {"README.md", "LICENSE", "pyproject.toml", ".gitignore"}


def test_files_and_functions_fit_the_head() -> None:
    assert [told for name in product_files() for told in _too_large(name)] == []


def _too_large(name: str) -> Iterator[str]:
    lines = (TOP / name).read_text().count("\n")
    if lines > MAXIMUM_FILE_LINES:
        yield f"{name} has {lines} lines"
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MAXIMUM_FUNCTION_LINES:
                yield f"{name}:{node.lineno} {node.name} has {lines} lines"


def test_nothing_else_is_at_the_top() -> None:
    tops = {name.partition("/")[0] for name in files() if "/" in name and not name.startswith(".")}
    assert tops <= FOLDERS
    assert {name for name in files() if "/" not in name} == FILES


def test_every_module_says_what_it_is_for() -> None:
    told = [name for name in product_files() if (TOP / name).stat().st_size and not ast.get_docstring(tree(name))]
    assert told == [], "these have no docstring"


def test_every_public_thing_is_explained() -> None:
    told = [found for name in product_files() for found in _unexplained(name)]
    assert told == [], "these have no docstring"


def _unexplained(name: str) -> Iterator[str]:
    module = tree(name)
    owners: list[ast.Module | ast.ClassDef] = [module]
    owners += [node for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for owner in owners:
        for node in owner.body:
            kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            if isinstance(node, kinds) and _is_public(node) and not ast.get_docstring(node):
                yield f"{name}:{node.lineno} {node.name}"


def _is_public(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Private names, dunders and overloads of a described thing need no words of their own."""
    decorators = {getattr(item, "id", getattr(item, "attr", "")) for item in node.decorator_list}
    return not node.name.startswith("_") and not decorators & {"overload", "override", "setter"}


def test_nothing_is_left_for_later() -> None:
    assert [told for name in product_files() for told in _left_for_later(name)] == []


def _left_for_later(name: str) -> Iterator[str]:
    for node in ast.walk(tree(name)):
        raised = node.exc if isinstance(node, ast.Raise) else None
        called = raised.func if isinstance(raised, ast.Call) else raised
        if getattr(called, "id", "") == "NotImplementedError":
            yield f"{name}: a stub"
    for mark in ("TO" + "DO", "FIX" + "ME", "XX" + "X:"):
        if mark in (TOP / name).read_text():
            yield f"{name} has a {mark}"
