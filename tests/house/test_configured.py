"""The settings in the words of the rooms: nothing is dropped on the way."""

from dataclasses import fields, replace

import msgspec
import pytest

from mmsc import configured
from mmsc.domain.address import Address, AddressKind, Rewrite
from mmsc.domain.instant import HOUR, SECOND
from mmsc.domain.mm7_profile import Mm7Profile
from mmsc.domain.neighbours import Peer, Repeats, Smsc, Subscriber, Vasp
from mmsc.gateways.mm7.digest import ha1_of
from mmsc.settings import Settings, bare
from mmsc.settings import neighbours as given
from mmsc.settings.model import Deliveries, Fallback, LimitSettings, Mm1, NumberSettings


def _odd(section: type[msgspec.Struct]) -> dict[str, object]:
    """A value for each key that is not its default."""
    special: dict[str, object] = {
        "errors": "rsp",
        "tls_minimum_version": "1.3",
        "fault_http_status": 400,
        "repeats": "off",
        "fallback_report": "sms_delivered",
        "interface": "eaif",
        "unknown_recipient": "res",
        "profile": "swapped-reports",
        "deliver_profile": "swapped-reports",
        "deliver_content": "mixed",
        "deliver_encoding": "base64",
        "unknown_linked_id": "accept",
        "partial_success": "refuse_any",
        "coded_addresses": {"odd": "+15550000001"},
        "bind": "transmitter",
        "push_form": "sar",
        "mms": "on",
        "authentication": "either",
        "rewrites": (given.Rewrite(prefix="0", becomes="+44"),),
        "rewrites_out": (given.Rewrite(prefix="0", becomes="+44"),),
    }
    odd: dict[str, object] = {}
    for field in msgspec.structs.fields(section):
        default = "" if field.required else field.default
        if field.name in special:
            odd[field.name] = special[field.name]
        elif isinstance(default, bool):
            odd[field.name] = not default
        elif isinstance(default, int | float):
            odd[field.name] = default + 1
        elif isinstance(default, tuple):
            odd[field.name] = ("odd",)
        else:
            odd[field.name] = "odd"
    return odd


@pytest.mark.parametrize(
    ("kind", "section", "domain"),
    [("vasp", given.Vasp, Vasp), ("peer", given.Peer, Peer), ("smsc", given.Smsc, Smsc)],
)
def test_every_key_of_a_neighbour_arrives(kind: str, section: type[msgspec.Struct], domain: type) -> None:
    odd = _odd(section)
    settings = msgspec.structs.replace(Settings(), **{kind: {"n": section(**odd)}})
    [found] = configured.neighbours(settings, lambda password: f"hash of {password}")
    assert isinstance(found, domain)
    for field in fields(domain):
        value = getattr(found, field.name)
        match field.name:
            case "name":
                assert value == "n"
            case "password_hash":
                assert value == "hash of odd"
            case "ha1_md5" | "ha1_sha256":
                algorithm = "MD5" if field.name == "ha1_md5" else "SHA-256"
                assert value == ha1_of(algorithm, "odd", "MM7", "odd")
            case "rewrites" | "rewrites_out":
                assert value == (Rewrite("0", "+44"),)
            case "coded_addresses":
                assert value == (("odd", "+15550000001"),)
            case "profile":
                assert value == Mm7Profile(name="swapped-reports", swapped_report=True)
            case "delivered_as":
                assert isinstance(found, Vasp)
                assert value == replace(found, delivered_as=None)
            case "relayed_reports":
                assert value is False, "an EAIF application is told by MMS PDUs"
            case _:
                assert value == odd[field.name], field.name
    assert {field.name for field in fields(domain)} - {"name", "relayed_reports", "delivered_as"} == odd.keys() - (
        {"password", "authentication", "deliver_profile"} if kind == "vasp" else set()
    )


@pytest.mark.parametrize(
    ("authentication", "hashed", "has_ha1"),
    [("basic", "hash of p", False), ("digest", "", True), ("either", "hash of p", True)],
)
def test_a_vasp_has_the_secrets_of_what_it_may_log_in_with(authentication: str, hashed: str, has_ha1: bool) -> None:
    vasp = given.Vasp(username="u", password="p", authentication=authentication)  # type: ignore[arg-type]
    [found] = configured.neighbours(Settings(vasp={"n": vasp}), lambda password: f"hash of {password}")
    assert isinstance(found, Vasp)
    assert (found.password_hash, bool(found.ha1_md5), bool(found.ha1_sha256)) == (hashed, has_ha1, has_ha1)


def test_subscribers_are_known_by_their_normalised_number() -> None:
    settings = Settings(subscriber={"001 555 000 0009": given.Subscriber(mms="on", ip="127.0.0.9")})
    [found] = configured.neighbours(settings, str)
    assert isinstance(found, Subscriber)
    assert found.address == Address(AddressKind.PHONE, "+15550000009")
    assert found.ip == "127.0.0.9"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("abc", 'subscriber."abc" is no number, but a short code'),
        ("7255", 'subscriber."7255" is no number, but a short code'),
        ("a@b.example", 'subscriber."a@b.example" is no number, but an e-mail address'),
        ("+123", 'subscriber."+123" is no number: 3 digits; E.164 has 5 to 15'),
        ("", 'subscriber."" is no number: the address is empty'),
        ("555 000 0001", 'subscriber."555 000 0001" and subscriber."+15550000001" are both +15550000001'),
    ],
)
def test_a_subscriber_that_the_number_plan_does_not_read_is_told(number: str, why: str) -> None:
    """ITU-T E.164 6.2.1; a subscriber under another name would never be found."""
    settings = Settings(subscriber={"+15550000001": given.Subscriber(), number: given.Subscriber()})
    assert list(configured.misread(settings)) == [why]


def test_a_hash_in_the_file_is_kept() -> None:
    settings = Settings(vasp={"n": given.Vasp(username="u", password_hash="h")})
    [found] = configured.neighbours(settings, lambda password: "never")
    assert isinstance(found, Vasp)
    assert found.password_hash == "h"
    assert found.repeats is Repeats.CONTENT


def test_the_engine_gets_what_the_file_says() -> None:
    settings = Settings(
        limits=LimitSettings(maximum_octets=7, default_validity_hours=2.0, repeat_window_hours=3.0),
        numbers=NumberSettings(country_code="44", own_prefixes=("+44",), default_peer="", default_smsc="s"),
        fallback=Fallback(enabled=False, after_seconds=9.0),
        mm1=Mm1(retrieve_grace_seconds=5.0, require_identity=True, reply_charging=False),
        vasp={"n": given.Vasp(short_codes=("77",))},
    )
    policy = configured.engine_policy(settings)
    assert policy.submit.limits.maximum_octets == 7
    assert policy.submit.limits.default_validity == 2 * HOUR
    assert policy.submit.repeat_window == 3 * HOUR
    assert policy.plan.country_code == "44"
    assert policy.plan.short_codes == {"77"}
    assert policy.routing.own_prefixes == ("+44",)
    assert not policy.delivery.notification.fallback
    assert not policy.retrieval.fallback
    assert policy.delivery.notification.fallback_after == 9
    assert policy.retrieval.retrieve_grace == 5 * SECOND
    assert policy.retrieval.require_identity
    assert not policy.submit.reply_charging
    assert policy.default_smsc == "s"
    assert policy.lane.backlog == settings.lanes.backlog


def test_a_public_url_is_the_setting_or_where_it_listens() -> None:
    assert configured.public_url(Mm1(), 1234) == "http://127.0.0.1:1234"
    assert configured.public_url(Mm1(host="::1"), 1234) == "http://[::1]:1234"
    assert configured.public_url(Mm1(public_url="https://mms.example/"), 1234) == "https://mms.example"


def test_the_bounds_of_listeners_and_captures_are_those_of_the_file() -> None:
    settings = bare()
    limits = configured.http_limits(settings.mm7)
    assert limits.maximum_body_octets == settings.mm7.maximum_body_octets
    assert limits.idle_seconds == settings.mm7.idle_seconds
    assert configured.capture_limits(settings).total.maximum_octets == settings.trace.captures_maximum_octets


@pytest.mark.parametrize(
    ("of_all", "own", "used"),
    [
        ("", "", ""),
        ("http://p:1", "", "http://p:1"),
        ("http://p:1", "http://q:2", "http://q:2"),
        ("http://p:1", "direct", ""),
        ("direct", "", ""),
    ],
)
def test_a_vasps_own_proxy_comes_before_that_of_all(of_all: str, own: str, used: str) -> None:
    settings = Settings(
        vasp={"a": given.Vasp(proxy_url=own, tls_server_name="v", tls_verify=False)},
        delivery=Deliveries(vasp=given.VaspDelivery(proxy_url=of_all)),
    )
    (vasp,) = (one for one in configured.neighbours(settings, str) if isinstance(one, Vasp))
    way = configured.vasp_way(vasp)
    assert (way.proxy_url, way.tls.server_name, way.tls.verify) == (used, "v", False)
