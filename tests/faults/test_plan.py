"""Which faults there are, whom they meet, how their dice fall, and when they are over."""

import re

import msgspec
import pytest

from mmsc.clock import VirtualClock
from mmsc.configured_faults import setting_of
from mmsc.faults import catalogue
from mmsc.faults.catalogue import FAULTS, MATCHED, UnknownFault, WrongParameter, checked
from mmsc.faults.magic import ROWS, MagicTable
from mmsc.faults.parameters import MATCHES, OWN, Kind, Setting
from mmsc.faults.plan import Active, Plan, drawn, misses
from mmsc.faults.points import Facts, Point
from mmsc.faults.row import Fault
from mmsc.settings.faults import Fault as Table
from mmsc.trace import events as trace

NEWS = Facts(vasp="news", numbers=("+15550100123",), transaction="t1", operation="SubmitReq")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def plan(clock: VirtualClock) -> Plan:
    return Plan(clock)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_says_what_it_is(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", fault.name)
    assert fault.text
    assert not fault.text.endswith(".")
    assert len(fault.text) <= 90
    assert re.search(r"\d", fault.clause) or "appendix" in fault.clause, f"{fault.name} has no clause"
    assert fault.point in MATCHED
    whole = checked(fault.name, Setting())
    assert checked(fault.name, whole) == whole
    for parameter in fault.parameters:
        assert parameter.name in OWN
        assert getattr(whole, parameter.name) is not msgspec.UNSET
        if parameter.kind in (Kind.SECONDS, Kind.OCTETS):
            assert parameter.lowest <= float(parameter.default) <= parameter.highest


def test_names_are_given_once() -> None:
    assert len(catalogue.BY_NAME) == len(FAULTS)


def test_a_table_of_the_settings_is_a_setting() -> None:
    """`mmsc.settings` knows nothing of `mmsc.faults`: the fields are told twice."""
    told = {field.name: field.type for field in msgspec.structs.fields(Table)}
    assert told == {field.name: field.type for field in msgspec.structs.fields(Setting)}
    assert setting_of(Table(vasp="news", status=4006, each=1)) == Setting(vasp="news", status=4006, each=1)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(UnknownFault, match="did you mean mm7-submit-status"):
        checked("mm7-submit-state", Setting())


@pytest.mark.parametrize(
    ("name", "setting", "why"),
    [
        ("mm7-submit-status", Setting(peer="hub"), "cannot tell by peer"),
        ("mm7-submit-status", Setting(octets=5), "has no octets; it has status, text"),
        ("mm7-submit-status", Setting(status=99), "1000 to 9999"),
        ("mm7-submit-silence", Setting(seconds=5), "none of its own"),
        ("smsc-status", Setting(status="ESME_RNOSUCH"), "ESME_RTHROTTLED"),
        ("smsc-receipt-state", Setting(state="GONE"), "DELIVERED"),
        ("mm4-smtp", Setting(status=250), "400 to 599"),
        ("mm4-smtp", Setting(stage="vrfy"), "stage is one of connect"),
        ("mm1-slow", Setting(octets=0), "1 to"),
        ("mm7-vasp-slow", Setting(seconds=4000), "0 to 3600 seconds"),
    ],
)
def test_what_a_fault_cannot_be_told_is_refused(name: str, setting: Setting, why: str) -> None:
    with pytest.raises(WrongParameter, match=why):
        checked(name, setting)


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("smsc-status", "esme_rinvdstadr", 0x0B),
        ("smsc-status", "0x58", 0x58),
        ("smsc-status", 1234, 1234),
        ("mm7-submit-status", "4006", 4006),
        ("mm7-submit-status", 4242, 4242),
        ("mm1-send-status", 225, 225),
        ("mm4-res-status", "error-service-denied", "Error-service-denied"),
    ],
)
def test_a_status_is_a_number_or_a_word(name: str, given: int | str, meant: int | str) -> None:
    assert checked(name, Setting(status=given)).status == meant


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        (Setting(vasp="news", number="+1555", transaction="t", operation="SubmitReq"), ""),
        (Setting(vasp="bank"), "vasp is bank, seen news"),
        (Setting(number="+1666"), r"number is \+1666, seen \+15550100123"),
        (Setting(transaction="t2"), "transaction is t2, seen t1"),
        (Setting(run="ci"), "run is ci, seen none"),
    ],
)
def test_whom_a_setting_means(setting: Setting, why: str) -> None:
    assert re.fullmatch(why, misses(setting, NEWS))


def test_the_same_seed_gives_the_same_hits_and_the_rate_is_kept() -> None:
    def hits(seed: int) -> list[bool]:
        return [drawn("smsc-throttle", Setting(rate=0.05, seed=seed), number) for number in range(1, 20_001)]

    assert hits(42) == hits(42)
    assert hits(42) != hits(43)
    assert 0.04 < sum(hits(42)) / 20_000 < 0.06
    assert not any(drawn("smsc-throttle", Setting(rate=0), number) for number in range(100))


def test_off_by_itself_after_so_many_hits_or_so_long(plan: Plan, clock: VirtualClock) -> None:
    told: list[trace.Data] = []
    plan.tell = lambda data, mm_id: told.append(data)
    plan.set("mm7-submit-http", Setting(times=2))
    found = [plan.decide(Point.MM7_ANSWER, NEWS) for _ in range(3)]
    assert [one is not None for one in found] == [True, True, False]
    assert plan.active()
    assert found[1] is not None
    plan.note(found[1])
    assert not plan.active()
    assert plan.bitten("mm7-submit-http").hits == 2
    plan.set("mm7-submit-http", Setting(expires_after_seconds=30))
    clock.advance(29)
    assert plan.decide(Point.MM7_ANSWER, NEWS) is not None
    clock.advance(1)
    assert plan.active() == ()
    cleared = [one.because for one in told if isinstance(one, trace.FaultCleared)]
    assert cleared == ["that was asked for", "its time was over"]


def test_a_paused_clock_lets_a_fault_expire_all_the_same(plan: Plan, clock: VirtualClock) -> None:
    """Nobody forgets one because the lab stands still: it is real time that counts."""
    plan.set("mm7-submit-http", Setting(expires_after_seconds=5))
    clock.pause()
    clock.advance(5)
    assert plan.decide(Point.MM7_ANSWER, NEWS) is None


def test_so_often_for_each_transaction(plan: Plan) -> None:
    plan.set("mm7-submit-silence", Setting(each=1))
    facts = [Facts(transaction=name) for name in ("a", "a", "b", "a", "b")]
    assert [plan.decide(Point.MM7_ANSWER, one) is not None for one in facts] == [True, False, True, False, False]


def test_who_is_armed_is_told_once_when_it_begins_and_ends(plan: Plan) -> None:
    told: list[bool] = []
    plan.arm(told.append)
    plan.set("mm7-submit-http")
    plan.set("smsc-throttle")
    plan.clear("mm7-submit-http")
    plan.clear()
    plan.enchant(MagicTable("+15559"))
    plan.enchant(None)
    assert told == [False, True, False, True, False]


def test_what_passes_by_unmet_is_told(plan: Plan) -> None:
    active: Active = plan.set("mm7-submit-http", Setting(vasp="weather"))
    assert plan.decide(Point.MM7_ANSWER, NEWS) is None
    assert (active.passed, active.missed) == (1, "vasp is weather, seen news")


def test_a_fault_meets_only_its_own_operations(plan: Plan) -> None:
    plan.set("mm1-get-cut")
    assert plan.decide(Point.MM1_ANSWER, Facts(operation="m-send-req")) is None
    assert plan.decide(Point.MM1_ANSWER, Facts(operation="GET")) is not None


def test_the_file_takes_back_what_it_brought_and_nothing_else(plan: Plan) -> None:
    plan.set("smsc-throttle")
    plan.take_over({"mm1-slow": Setting(octets=100), "mm7-vasp-http": Setting()})
    plan.take_over({"mm1-slow": Setting(octets=200)})
    assert {one.fault.name for one in plan.active()} == {"smsc-throttle", "mm1-slow"}
    assert next(one.setting.octets for one in plan.active() if one.fault.name == "mm1-slow") == 200
    assert plan.active()[-1].from_file


def test_every_point_can_be_told_by_fields_that_settings_have() -> None:
    assert {name for names in MATCHED.values() for name in names} <= set(MATCHES)
    assert set(MATCHED) == set(Point)


def test_endings_are_known_once_and_every_magic_fault_is_one() -> None:
    assert len({one.ending for one in ROWS}) == len(ROWS)
    for magic in ROWS:
        for name, setting in magic.faults:
            checked(name, setting)


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        ("+15559000091", "91"),
        ("+15559004006", "4006"),
        ("+15559001100", "1100"),
        ("+15559007005", "7005"),
        ("+15559007099", "99"),
        ("+15559001000", "00"),
        ("15559000095", "95"),
        ("+15559009950", "00"),
        ("+15550000091", None),
        ("+155590", None),
    ],
)
def test_what_an_ending_stands_for(number: str, ending: str | None) -> None:
    found = MagicTable("+15559").of(number)
    assert (None if found is None else found.ending) == ending
