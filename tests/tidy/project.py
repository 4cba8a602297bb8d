"""What the tidy tests read: the files under version control, their imports, and the rooms of the house."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TOP = Path(__file__).parents[2]


@cache
def files() -> tuple[str, ...]:
    """All files of the project, as git knows them (with new ones), else as they lie there (an unpacked archive)."""
    told = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True, text=True
    )
    if told.returncode == 0:
        return tuple(sorted({name for name in told.stdout.splitlines() if (TOP / name).is_file()}))
    found = (path.relative_to(TOP) for path in TOP.rglob("*") if path.is_file())
    return tuple(
        sorted(str(path) for path in found if not path.parts[0].startswith(".") and "__pycache__" not in path.parts)
    )


def product_files() -> tuple[str, ...]:
    """The Python files that a wheel holds."""
    return tuple(name for name in files() if name.startswith(("mmsc/", "protocols/")) and name.endswith(".py"))


@cache
def tree(name: str) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse((TOP / name).read_text(), name)


def module_of(name: str) -> str:
    """The dotted name of a file."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(name: str) -> Iterator[str]:
    """Every module a file imports, wherever in the file, as a full dotted name."""
    package = module_of(name) if name.endswith("/__init__.py") else module_of(name).rpartition(".")[0]
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
            yield from (_imported(base, alias.name) for alias in node.names)


def _imported(base: str, name: str) -> str:
    """`from base import name` is base.name when that is a module of ours, else base."""
    path = TOP / base.replace(".", "/") / name
    return f"{base}.{name}" if path.is_dir() or path.with_suffix(".py").is_file() else base
