"""A request as it goes out: octets, where to, and what a reader will object to."""

from dataclasses import field

from protocols.errors import Finding
from protocols.records import record

MASKED = "***"


@record(frozen=True, slots=True, kw_only=True)
class Wire:
    """HTTP: `method`, `url` and `headers`; SMTP: `place`, `mail_from` and `mail_to`. `secret` is the Authorization that
    is added when it is sent, and never shown; `login` names whose it is. `refused` is why our own reader would not take
    it, "" when it would."""

    interface: str
    body: bytes = field(repr=False)
    transaction_id: str = ""
    message_id: str = ""  # MM4: the sender's own
    method: str = "POST"
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    place: tuple[str, int] = ("", 0)
    mail_from: str = ""
    mail_to: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    login: str = ""
    findings: tuple[Finding, ...] = ()
    refused: str = ""

    @property
    def is_mail(self) -> bool:
        """Whether it goes by SMTP."""
        return bool(self.place[0])
