"""Every key that is marked live is taken over by a running server: each is changed, and looked up where it is read."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from mmsc.app import App
from mmsc.configured import agreed
from mmsc.domain.address import Address
from mmsc.domain.message import TaskKind
from mmsc.domain.neighbours import VaspInterface
from mmsc.lab.smsc import VirtualSmsc
from mmsc.reloading import reload
from mmsc.settings import Settings
from mmsc.settings import neighbours as given
from mmsc.settings.base import Section, is_live
from mmsc.store.nodes import known
from tests.scenarios.conftest import PHONE

HOUR = 3600 * 1_000_000


def live_keys(section: type[Section] = Settings, where: str = "") -> Iterator[str]:
    """All keys that say they are live, but for those of neighbours."""
    for field in msgspec.structs.fields(section):
        name = f"{where}.{field.name}".strip(".")
        if isinstance(field.type, type) and issubclass(field.type, Section):
            yield from live_keys(field.type, name)
        elif is_live(field.type):
            yield name


Look = Callable[[App], object]


def _limits(name: str) -> Look:
    """As the rules are given them that judge a submission."""
    return lambda app: getattr(app.engine.submit._planner._policy.limits, name)


def _kept(name: str) -> Look:
    return lambda app: getattr(getattr(app.captures, "_limits"), name)  # noqa: B009


def _policy(app: App) -> Any:
    return app.engine.desk.policy


def _courier(app: App) -> Any:
    return app.engine.couriers[TaskKind.NOTIFY]


def _handlers(app: App) -> dict[str, Any]:
    """The objects behind the listeners."""
    served = {name: one for name, one in app.operations.sources.http.items() if name != "console"}
    return {name: getattr(listener, "_handler").__self__ for name, listener in served.items()}  # noqa: B009


def _route(app: App, number: str) -> tuple[object, str]:
    route, target, _ = app.engine.numbers.route(Address.of(number))
    return str(route), target


SHARES = Settings().trace.captures_shares
# Key -> (its new value, where it is read, what stands there then). What a VASP's client or a peer's sender is made of
# is looked up by making one.
CASES: dict[str, tuple[object, Look, object]] = {
    "log.level": ("info", lambda app: app.settings.log.level, "info"),  # and over a process in test_reload.py
    "log.events": (True, lambda app: app.settings.log.events, True),  # the same
    "trace.captures_shares": ({"smpp": 7}, _kept("shares"), SHARES | {"smpp": 7}),
    "trace.captures_longest_octets": ({"mm4": 7}, _kept("longest"), {"mm4": 7}),
    "trace.captures_off": (("mm3",), _kept("off"), {"mm3"}),
    "magic.enabled": (True, lambda app: app.faults.magic is not None, True),
    "magic.prefix": ("+17779", lambda app: app.settings.magic.prefix, "+17779"),  # and in tests/faults/test_magic.py
    "limits.maximum_octets": (7, _limits("maximum_octets"), 7),
    "limits.maximum_recipients": (7, _limits("maximum_recipients"), 7),
    "limits.maximum_parts": (7, _limits("maximum_parts"), 7),
    "limits.maximum_subject_characters": (7, _limits("maximum_subject_characters"), 7),
    "limits.maximum_forward_counter": (7, _limits("maximum_forward_counter"), 7),
    "limits.default_validity_hours": (7.0, _limits("default_validity"), 7 * HOUR),
    "limits.maximum_validity_hours": (100.0, _limits("maximum_validity"), 100 * HOUR),
    "limits.repeat_window_hours": (
        7.0,
        lambda app: (app.engine.submit._policy.repeat_window, app.engine.submit._planner._identifiers.window),
        (7 * HOUR, 7 * HOUR),
    ),
    "numbers.own_prefixes": (("+1777",), lambda app: _route(app, "+17770000000"), ("subscriber", "local")),
    "numbers.unknown_subscribers_served": (False, lambda app: _route(app, "+15559999999"), ("none", "")),
    "numbers.default_peer": ("hub", lambda app: _route(app, "+49170000000"), ("peer", "hub")),
    "numbers.default_smsc": ("second", lambda app: _route(app, "+15559999999"), ("subscriber", "second")),
    "notification.renotify_after_seconds": ((7.0,), lambda app: _policy(app).notification.renotify_after, (7.0,)),
    "notification.unacknowledged_after_seconds": (7.0, lambda app: _policy(app).notification.unacknowledged_after, 7.0),
    "notification.unacknowledged_report": (False, lambda app: _policy(app).notification.unacknowledged_report, False),
    "notification.ignore_gets": (True, lambda app: _policy(app).notification.gets_ignored, True),
    "notification.manual_above_octets": (7, lambda app: _courier(app)._policy.manual_above(), 7),
    "fallback.enabled": (
        False,
        lambda app: (_policy(app).notification.fallback, app.engine.retrieval.policy.fallback),
        (False, False),
    ),
    "fallback.after_seconds": (7.0, lambda app: _policy(app).notification.fallback_after, 7.0),
    "fallback.template": ("look: {url}", lambda app: _courier(app)._policy.template(), "look: {url}"),
    "delivery.smsc.waits_seconds": ((7.0,), lambda app: _policy(app).push_retry.waits, (7.0,)),
    "delivery.smsc.lifetime_hours": (7.0, lambda app: _policy(app).push_retry.lifetime, 7 * HOUR),
    "delivery.smsc.timeout_seconds": (7.0, lambda app: _courier(app).sessions["local"][0].timers.response, 7.0),
    "delivery.peer.waits_seconds": ((7.0,), lambda app: _policy(app).forward_retry.waits, (7.0,)),
    "delivery.peer.lifetime_hours": (7.0, lambda app: _policy(app).forward_retry.lifetime, 7 * HOUR),
    "delivery.peer.timeout_seconds": (7.0, lambda app: _sender(app)._sender._timeout, 7.0),
    "delivery.vasp.waits_seconds": ((7.0,), lambda app: _policy(app).report_retry.waits, (7.0,)),
    "delivery.vasp.lifetime_hours": (7.0, lambda app: _policy(app).report_retry.lifetime, 7 * HOUR),
    "delivery.vasp.timeout_seconds": (7.0, lambda app: _client(app)._limits.total_seconds, 7.0),
    "delivery.vasp.connect_seconds": (7.0, lambda app: _client(app)._limits.connect_seconds, 7.0),
    "delivery.vasp.maximum_answer_octets": (7, lambda app: _client(app)._limits.maximum_body_octets, 7),
    "delivery.vasp.proxy_url": ("http://p:1", lambda app: _client(app)._way.proxy_url, "http://p:1"),
    "mm1.identity_headers": (("X-Who",), lambda app: _handlers(app)["mm1"]._identities._headers, ("X-Who",)),
    "mm1.identity_gateways": (
        ("192.0.2.0/24",),
        lambda app: [_handlers(app)["mm1"]._identities._is_gateway(one) for one in ("192.0.2.7", "127.0.0.1")],
        [True, False],
    ),
    "mm1.address_headers": (("X-Where",), lambda app: _handlers(app)["mm1"]._identities._address_headers, ("X-Where",)),
    "mm1.append_transaction_id": (True, lambda app: _courier(app)._policy.append_transaction_id(), True),
    "mm1.require_identity": (True, lambda app: app.engine.retrieval.policy.require_identity, True),
    "mmbox.enabled": (False, lambda app: app.engine.boxes.enabled, False),
    "mmbox.default_store": (True, lambda app: app.engine.boxes.keeps_received, True),
    **{
        f"mmbox.{name}": (7, lambda app, name=name: getattr(app.engine.boxes.policy, name), 7)  # type: ignore[misc]
        for name in ("quota_messages", "quota_octets", "view_messages", "view_octets")
    },
    "mmbox.maximum_locations": (7, lambda app: app.engine.boxes.maximum_locations, 7),
    "mm1.address_hiding": (False, lambda app: _handlers(app)["mm1"].senders.policy.address_hiding, False),
    "mm1.foreign_from": ("refuse", lambda app: _handlers(app)["mm1"].senders.policy.foreign_from_refused, True),
    "mm7.cancel_after_notification": ("refuse", lambda app: app.engine.changes.policy.after_notification, False),
    "mm7.delivery_condition_mms_capable": (7, lambda app: _wishes(app).mms_capable_condition, 7),
    "mm7.delivery_condition_home_network": (7, lambda app: _wishes(app).home_network_condition, 7),
    "mm7.application_addressing": (False, lambda app: _wishes(app).application_addressing, False),
    "mm7.content_class_mismatch": ("refuse", lambda app: _wishes(app).content_class_refused, True),
    "mm7.partial_success": ("refuse_any", lambda app: str(_wishes(app).partial_success), "refuse_any"),
    "mm1.retrieve_grace_seconds": (7.0, lambda app: app.engine.links.policy.retrieve_grace, 7_000_000),
    "mm1.reply_charging": (False, lambda app: app.engine.submit._policy.reply_charging, False),
    "mm3.networks": (("192.0.2.0/24",), lambda app: _mm3(app)._networks, ("192.0.2.0/24",)),
    "mm4.unknown_peers": (True, lambda app: _mm4(app).unknown_peers, True),
    "mm4.resend_after_seconds": ((7.0,), lambda app: _policy(app).resend_after, (7.0,)),
    "mm4.report_grace_hours": (7.0, lambda app: _policy(app).report_grace, 7 * HOUR),
    "weblink.view_needs_tap": (True, lambda app: _handlers(app)["weblink"]._needs_tap(), True),
}


def _wishes(app: App) -> Any:
    return _handlers(app)["mm7"].house.policy


def _client(app: App) -> Any:
    courier: Any = app.engine.couriers[TaskKind.REPORT_MM7]
    return courier.of(VaspInterface.MM7).__self__.client(app.engine.neighbours.vasps["news"])


def _sender(app: App) -> Any:
    courier: Any = app.engine.couriers[TaskKind.FORWARD]
    return courier._sender(app.engine.neighbours.peers["hub"])


def _mm3(app: App) -> Any:
    server: Any = app.operations.sources.smtp["mm3"]
    return server._hooks._handler


def _mm4(app: App) -> Any:
    server: Any = app.operations.sources.smtp["mm4"]
    return server._hooks._handler


def test_every_live_key_has_its_proof() -> None:
    assert set(live_keys()) == set(CASES)
    for section in (given.Vasp, given.Peer, given.Smsc, given.Subscriber):
        assert all(is_live(field.type) for field in msgspec.structs.fields(section)), "tables are taken over whole"


def changed(settings: Settings, key: str, value: object) -> Settings:
    """Settings with one key set."""

    def put(section: Any, names: list[str]) -> Any:
        inner = value if len(names) == 1 else put(getattr(section, names[0]), names[1:])
        return msgspec.structs.replace(section, **{names[0]: inner})

    return put(settings, key.split("."))  # type: ignore[no-any-return]


@pytest.fixture
def wide(app: App, smsc: VirtualSmsc) -> Settings:
    """The settings of `app` with a peer and a second SMSC more."""
    settings = app.settings
    second = msgspec.structs.replace(settings.smsc["local"], system_id="second")
    return msgspec.structs.replace(
        settings,
        peer={"hub": given.Peer(domain="hub.example", host="127.0.0.1", port=1)},
        smsc={**settings.smsc, "second": second},
    )


async def test_each_live_key_is_read_where_it_counts_once_it_was_taken_over(app: App, wide: Settings) -> None:
    assert await reload(app, lambda: wide) == "applied"
    for key, (value, look, expected) in CASES.items():
        if key == "mm4.unknown_peers":
            continue  # below: this server has no MM4
        assert look(app) != expected, f"{key} has its new value before"
        assert await reload(app, lambda key=key, value=value: changed(wide, key, value)) == "applied", key  # type: ignore[misc]
        assert look(app) == expected, key
        assert await reload(app, lambda: wide) == "applied"
        assert look(app) != expected, f"{key} does not go back"
    assert await reload(app, lambda: wide) == "unchanged"


async def test_unknown_peers_are_let_in_and_out(
    app: App, wide: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("second")
    settings = changed(wide, "mm4.enabled", True)
    settings = changed(changed(settings, "mm4.port", 0), "store.path", str(folder / "mmsc.db"))
    settings = changed(settings, "console.enabled", False)
    async with App(settings, synchronous="OFF") as other:
        value, look, expected = CASES["mm4.unknown_peers"]
        assert look(other) != expected
        assert await reload(other, lambda: changed(settings, "mm4.unknown_peers", value)) == "applied"
        assert look(other) == expected


# --- neighbours


async def test_subscribers_and_what_was_learned_of_them(app: App) -> None:
    address = Address.of(PHONE)
    neighbours = app.engine.neighbours
    await neighbours.learn(replace(neighbours.subscriber(address), user_agent="Phone/1", seen_at=app.clock.now()))
    gone = changed(app.settings, "subscriber", {"+15550100999": given.Subscriber(mms="off", ip="192.0.2.9")})
    assert await reload(app, lambda: gone) == "applied"
    assert not neighbours.is_listed(address)
    assert neighbours.subscriber(address).user_agent == "Phone/1"
    assert str(neighbours.subscriber(Address.of("+15550100999")).mms) == "off"
    found = neighbours.subscriber_at("192.0.2.9")
    assert found is not None
    assert found.address == Address.of("+15550100999")
    rows = await app.store.fetch("SELECT name FROM config WHERE kind = 'subscriber'")
    assert rows == [("+15550100999",)]


async def test_a_vasp_that_did_not_change_keeps_its_connections_and_its_hash(app: App) -> None:
    before, client = app.engine.neighbours.vasps["news"], _client(app)
    more = {**app.settings.vasp, "second": given.Vasp(username="two", password="secret2")}
    assert await reload(app, lambda: changed(app.settings, "vasp", more)) == "applied"
    assert app.engine.neighbours.vasps["news"] == before
    assert _client(app) is client
    short = {**more, "news": msgspec.structs.replace(more["news"], short_codes=("4489",), concurrency=9)}
    assert await reload(app, lambda: changed(app.settings, "vasp", short)) == "applied"
    assert _client(app) is not client
    assert client._closed
    assert app.engine.neighbours.short_codes == {"4489": "news"}
    found = app.engine.numbers.normalise("4489")
    assert str(getattr(found, "address").kind) == "short_code"  # noqa: B009
    assert app.engine.lanes.get("vasp:news").limits.concurrency == 9


async def test_live_keys_that_contradict_what_waits_for_a_restart_are_refused(app: App) -> None:
    """The new file is good by itself; with the number plan that is in force, it is not."""
    plan = changed(app.settings, "numbers.country_code", "44")
    national = PHONE.removeprefix("+1")  # in the plan in force it is the subscriber that is there already
    bad = changed(plan, "subscriber", {**app.settings.subscriber, national: given.Subscriber(mms="on")})
    before = app.settings
    assert await reload(app, lambda: bad) == "refused"
    assert app.settings is before
    assert app.engine.neighbours.is_listed(Address.of(PHONE))


async def test_other_nodes_are_told_what_is_in_force(app: App) -> None:
    assert await reload(app, lambda: changed(app.settings, "limits.maximum_parts", 8)) == "applied"
    (node,) = await known(app.store)
    assert msgspec.json.decode(node.settings) == agreed(app.settings)


async def test_a_part_that_fails_does_not_end_who_listens_for_the_next_signal(app: App) -> None:
    async def broken(now: Settings) -> None:
        raise RuntimeError("a bug")

    app.live.connections.append(broken)
    assert await reload(app, lambda: changed(app.settings, "limits.maximum_parts", 9)) == "failed"
    app.live.connections.remove(broken)
    assert await reload(app, lambda: changed(app.settings, "limits.maximum_parts", 8)) == "applied"


async def test_a_store_that_is_away_leaves_everything_as_it_was(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from mmsc.store.core import StoreUnavailable

    async def away(sql: str, *params: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(app.store, "fetch", away)
    new = changed(app.settings, "vasp", {})
    before = app.settings
    assert await reload(app, lambda: new) == "failed"
    assert app.settings is before
    assert "news" in app.engine.neighbours.vasps
    monkeypatch.undo()
    assert await reload(app, lambda: new) == "applied"
    assert app.engine.neighbours.vasps == {}
