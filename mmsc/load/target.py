"""Whom the load goes to, and in whose name."""

from typing import Final
from urllib.parse import urlsplit

from protocols import mm7
from protocols.records import record

_PORTS: Final = {"http": 80, "https": 443}


@record(frozen=True, slots=True, kw_only=True)
class Target:
    """An MMSC's MM7 address and what its VASP says of itself in every SubmitReq."""

    host: str
    port: int
    path: str
    tls: bool
    user: str  # NAME:PASSWORD for HTTP Basic, "" for none
    vasp_id: str
    vas_id: str
    sender: str
    subject: str
    namespace: str
    version: str
    plain_sender: bool  # SenderAddress is text, as in the first REL-5 schemas

    @property
    def authority(self) -> str:
        """HOST:PORT as a Host field has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """What was asked for, without credentials."""
        return f"http{'s' if self.tls else ''}://{self.authority}{self.path}"


def target_of(
    url: str,
    *,
    user: str = "",
    vasp_id: str = "",
    vas_id: str = "",
    sender: str = "",
    subject: str = "Load",
    namespace: str = mm7.LATEST,
) -> Target:
    """A target from the words of a command line. Raises ValueError with what is wrong, for a person."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ValueError(f"{url!r} is no http://HOST:PORT/PATH") from None
    if parts.scheme not in _PORTS or not parts.hostname or not port or any(letter <= " " for letter in url):
        raise ValueError(f"{url!r} is no http://HOST:PORT/PATH")
    spoken = mm7.dialect(mm7.BASE + namespace)
    if spoken is None:
        raise ValueError(f"{namespace!r} is no MM7 schema tag; try {mm7.LATEST}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        host=parts.hostname,
        port=port,
        path=path,
        tls=parts.scheme == "https",
        user=user,
        vasp_id=vasp_id,
        vas_id=vas_id,
        sender=sender,
        subject=subject,
        namespace=spoken.namespace,
        version=spoken.version,
        plain_sender=spoken.plain_sender_address,
    )
