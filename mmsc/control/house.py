"""What the setup asks of the roof, which alone knows how settings become neighbours."""

from collections.abc import Awaitable
from typing import Protocol

from mmsc.engine.directory import Neighbour
from mmsc.settings import Settings
from mmsc.settings.neighbours import Vasp


class House(Protocol):
    """What knows how settings become neighbours."""

    @property
    def file(self) -> Settings:
        """The settings in force, without what people made."""

    @property
    def settings(self) -> Settings:
        """The settings in force, with it."""

    def where(self, kind: str, name: str) -> str:
        """Where the file has one, in words."""

    def wrong(self, settings: Settings) -> list[str]:
        """What contradicts what, in sentences; takes its time where there are many subscribers."""

    def sealed(self, table: Vasp) -> Vasp:
        """With what is kept of its password in the password's place; takes its time."""

    def neighbour(self, kind: str, name: str, settings: Settings) -> Neighbour:
        """One of them, as the rooms know it."""

    def adopt(self, settings: Settings) -> Awaitable[None]:
        """These are in force."""
