"""What an m-send-req says that only a DeliverReq has a word for (TS 23.140 8.7.2)."""

from collections.abc import Mapping

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.gateways.mm1.translate import submission_of
from protocols.content_type import ContentType
from protocols.mm1 import INSERT_ADDRESS, MSendReq

NOW = Instant(1_790_000_000_000_000)


def test_it_is_kept_by_the_names_of_mm7() -> None:
    said = {"reply_charging_id": "m-7@mms.example", "applic_id": "game", "aux_applic_info": "level 3"}
    assert said.items() <= kept(**said).items()
    assert "reply_applic_id" not in kept(**said), "what was not said is not kept"


def test_what_is_too_long_to_be_told_is_left_out() -> None:
    """Details stay in memory with their MM."""
    assert kept(applic_id="a" * 1024)["applic_id"] == "a" * 1024
    assert "applic_id" not in kept(applic_id="a" * 1025)


def kept(**said: str) -> Mapping[str, str]:
    text = ContentType("text/plain")
    pdu = MSendReq(transaction_id="t", from_=INSERT_ADDRESS, content_type=text, body=b"x", **said)  # type: ignore[arg-type]
    return submission_of(pdu, Address.of("+15550100123"), NOW).details
