"""The engine's ports that only VASPs need: changes to what they handed in, late answers, and what they speak."""

from typing import Protocol

from mmsc.domain.changes import Asked, Changed, Replacement, Unknown
from mmsc.domain.refusal import Refused
from mmsc.engine.ports import Accepted, Gone


class Changes(Protocol):
    """What a VASP may still change about an MM of its own."""

    async def cancel(self, asked: Asked) -> Changed | Unknown | Refused:
        """Cancel an MM for whoever has not got it; returns after the commit."""
        ...

    async def replace(self, asked: Asked, change: Replacement) -> Changed | Unknown | Refused:
        """Give the recipients who have not got an MM another content; returns after the commit."""
        ...

    async def extended_cancel(self, asked: Asked) -> Changed | Unknown | Refused:
        """Cancel it for everybody: who has it already is asked to forget it; returns after the commit."""
        ...

    async def extended_replace(self, asked: Asked, change: Replacement) -> Accepted | Changed | Unknown | Refused:
        """Send whoever has it another MM in its place; returns after the commit."""
        ...


class ApplicationAnswers(Protocol):
    """What an application on EAIF says later about a message that it took with 202."""

    async def application_answered(self, vasp: str, message_id: str, *, status: int) -> bool | Gone:
        """An asynchronous answer: 2xx is taken, 4xx refused, anything else not delivered. `message_id` is the text of
        our own id of the MM (`ids.to_text`), whatever its originator called it. Returns after the commit; False when
        nothing of this id went to this VASP. `Gone`, and nothing was noted, when the store is away."""
        ...


class Dialects(Protocol):
    """What each VASP spoke last."""

    async def heard(self, vasp: str, namespace: str, version: str) -> None:
        """A request of the VASP came in this namespace and MM7Version; costs something only when it changed."""
        ...

    def last_of(self, vasp: str) -> tuple[str, str]:
        """(namespace, MM7Version) of the VASP's last request, both "" when it never sent one."""
        ...
