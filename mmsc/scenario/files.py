"""Which files are scenarios: those that are named, those of a folder, or the ready ones of this package."""

from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from mmsc.scenario.model import Scenario, ScenarioError
from mmsc.scenario.reading import read

_ENDINGS: Final = (".yaml", ".yml")


def ready() -> Path:
    """The folder of the ready ones: in the package where it was installed, in `config/scenarios` of a checkout."""
    packed = Path(str(resources.files("mmsc.scenario"))) / "ready"
    return shown(packed if packed.is_dir() else Path(__file__).parents[2] / "config" / "scenarios")


def shown(path: Path) -> Path:
    """As people here would name it: from the current folder where it is below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def listed(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant, folders by what is in them, in order of name."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.suffix in _ENDINGS) if path.is_dir() else [path]
        found += [one for one in inside if one not in found]
    return found


def read_all(paths: Iterable[Path]) -> list[Scenario]:
    """The scenarios of all these files. Raises ScenarioError with what is wrong in any of them."""
    found: list[Scenario] = []
    problems: list[str] = []
    for path in paths:
        try:
            found += read(path)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(tuple(problems))
    return found


def chosen(scenarios: Sequence[Scenario], words: Sequence[str]) -> list[Scenario]:
    """Those whose name, file or tags hold all of the words (in any letters); `-word` leaves out."""
    return [one for one in scenarios if all(_has(one, word.lower()) for word in words)]


def _has(scenario: Scenario, word: str) -> bool:
    text = " ".join((scenario.name, Path(scenario.file).name, *scenario.tags)).lower()
    return word[1:] not in text if word.startswith("-") else word in text
