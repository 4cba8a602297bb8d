"""What SubmitReqs mean beyond their words, before an engine that takes everything (TS 23.140 8.7.1)."""

from dataclasses import replace
from typing import Any

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.conditions import CONDITIONS, DeliveryCondition, requires
from mmsc.domain.instant import DAY, HOUR, Instant, to_datetime
from mmsc.domain.message import Content, Part, RecipientSpec, Role, Submission
from mmsc.domain.neighbours import Vasp
from mmsc.domain.vasp_policy import PartialSuccess, VaspPolicy
from mmsc.gateways.mm7.coded import as_named
from mmsc.gateways.mm7.meaning import House, check_application, understood
from mmsc.gateways.mm7.translate import submission_of
from protocols import mm7
from protocols.mm7 import Address, AddressForm, Mm7Error, StatusCode, SubmitReq, meaning_rules, rules

REL6 = mm7.dialect(mm7.BASE + mm7.LATEST)
REL5 = mm7.dialect(mm7.BASE + "REL-5-MM7-1-2")
NEWS = Vasp(name="news", vasp_id="news", short_codes=("4488",))
GAMES = Vasp(name="games", applic_ids=("chess", "go"))
CLOCK = VirtualClock()
NOW = CLOCK.now()
TO = Address("+15550100123")
PICTURE = Content("application/vnd.wap.multipart.mixed", bytes(9), (Part("image/jpeg", "p", "", 0, 9),))
LOCKED = Content("x", bytes(9), (Part("application/vnd.oma.drm.message", "p", "", 0, 9),))


class Directory:
    """The VASPs alone."""

    def __init__(self, *vasps: Vasp) -> None:
        self.vasps = {one.name: one for one in vasps}


def house(vasp: Vasp = NEWS, **policy: Any) -> House:
    directory: Any = Directory(vasp, GAMES)
    return House(VaspPolicy(**policy), directory, CLOCK)


def read(
    vasp: Vasp = NEWS,
    policy: dict[str, Any] | None = None,
    spoken: mm7.Dialect | None = REL6,
    content: Content | None = None,
    **fields: Any,
) -> tuple[Submission, list[str]]:
    """The submission, and the names of the rules that it broke."""
    assert spoken is not None
    request = SubmitReq(**{"vasp_id": "news", "to": (TO,), **fields})
    said = replace(submission_of(mm7.Envelope("t", spoken, request), request, vasp), content=content)
    submission, findings = understood(said, request, spoken, vasp, house(vasp, **(policy or {})))
    return submission, [finding.rule for finding in findings]


def refusal(**fields: Any) -> tuple[int, str]:
    with pytest.raises(Mm7Error) as caught:
        read(**fields)
    return int(caught.value.status), caught.value.where


def text(at: int) -> str:
    return f"{to_datetime(Instant(at)).replace(microsecond=0, tzinfo=None).isoformat()}"


def test_a_plain_request_is_left_as_it_is() -> None:
    assert REL6 is not None
    request = SubmitReq(vasp_id="news", to=(TO,), message_class="Informational", subject="s", delivery_report=True)
    said = submission_of(mm7.Envelope("t", REL6, request), request, NEWS)
    assert understood(said, request, REL6, NEWS, house()) == (said, ())
    assert understood(said, request, REL6, NEWS, house())[0] is said


@pytest.mark.parametrize(
    ("given", "conditions", "found"),
    [
        (("1",), {DeliveryCondition.MMS_CAPABLE}, []),
        (("2", "1", "2"), set(DeliveryCondition), []),
        (("02",), {DeliveryCondition.HOME_NETWORK}, []),
        (("77",), set(), ["MM7-R100"]),
        (("1", "3"), {DeliveryCondition.MMS_CAPABLE}, ["MM7-R100"]),
    ],
)
def test_delivery_conditions(given: tuple[str, ...], conditions: set[DeliveryCondition], found: list[str]) -> None:
    submission, names = read(delivery_conditions=given)
    assert {one for one in DeliveryCondition if requires(submission.details, one)} == conditions
    assert (CONDITIONS in submission.details) == bool(conditions)
    assert names == found


@pytest.mark.parametrize("given", ["0", "-1", "one", "", "1" * 11, "١"])
def test_a_condition_that_is_no_number_is_refused(given: str) -> None:
    fields = {"delivery_conditions": (given, "1")}
    assert refusal(**fields) == (2007, "SubmitReq/DeliveryCondition/DC")


def test_what_a_condition_is_called_is_the_operators_affair() -> None:
    policy = {"mms_capable_condition": 5, "home_network_condition": 0}
    submission, names = read(policy=policy, delivery_conditions=("5", "2"))
    assert submission.details[CONDITIONS] == "mms_capable"
    assert names == ["MM7-R100"]


@pytest.mark.parametrize(
    ("vasp", "policy", "fields", "expected"),
    [
        (NEWS, {}, {"applic_id": "any", "reply_applic_id": "thing", "aux_applic_info": "x"}, None),
        (replace(NEWS, applic_ids=("quiz",)), {}, {"applic_id": "quiz", "reply_applic_id": "quiz"}, None),
        (replace(NEWS, applic_ids=("quiz",)), {}, {"applic_id": "none"}, (2008, "SubmitReq/ApplicID")),
        (
            replace(NEWS, applic_ids=("quiz",)),
            {},
            {"applic_id": "quiz", "reply_applic_id": "none"},
            (2009, "SubmitReq/ReplyApplicID"),
        ),
        (replace(NEWS, applic_ids=("quiz",)), {}, {"applic_id": "chess"}, (4008, "SubmitReq/ApplicID")),
        (replace(NEWS, applic_ids=("quiz",)), {}, {"reply_applic_id": "go"}, (4008, "SubmitReq/ReplyApplicID")),
        (NEWS, {"application_addressing": False}, {"applic_id": "any"}, (3004, "SubmitReq/ApplicID")),
        (NEWS, {"application_addressing": False}, {"reply_applic_id": "any"}, (3004, "SubmitReq/ReplyApplicID")),
        (NEWS, {"application_addressing": False}, {"aux_applic_info": "x"}, (3004, "SubmitReq/AuxApplicInfo")),
        (NEWS, {"application_addressing": False}, {}, None),
    ],
)
def test_application_addressing(
    vasp: Vasp, policy: dict[str, Any], fields: dict[str, Any], expected: tuple[int, str] | None
) -> None:
    if expected is None:
        submission, names = read(vasp, policy, **fields)
        assert {name: submission.details[name] for name in fields} == fields
        assert names == []
    else:
        assert refusal(vasp=vasp, policy=policy, **fields) == expected


@pytest.mark.parametrize("message", [mm7.CancelReq(applic_id="chess"), mm7.ReplaceReq(applic_id="chess")])
def test_cancel_and_replace_name_applications_under_the_same_rules(message: mm7.CancelReq | mm7.ReplaceReq) -> None:
    vasp = replace(NEWS, applic_ids=("quiz",))
    with pytest.raises(Mm7Error) as caught:
        check_application(message, type(message).__name__, vasp, house(vasp))
    assert caught.value.status is StatusCode.APPLICATION_DENIED


@pytest.mark.parametrize(
    ("size", "deadline", "kept"),
    [
        ("", "", {}),
        ("30000", "", {"reply_charging_size": "30000"}),
        (" 007 ", "PT1H", {"reply_charging_size": "7", "reply_deadline": str(NOW + HOUR)}),
        ("", f"{text(NOW + 2 * DAY)}Z", {"reply_deadline": str((NOW + 2 * DAY) // 1_000_000 * 1_000_000)}),
    ],
)
def test_reply_charging_is_kept(size: str, deadline: str, kept: dict[str, str]) -> None:
    submission, names = read(reply_charging=True, reply_charging_size=size, reply_deadline=deadline)
    found = {name: value for name, value in submission.details.items() if name.startswith("reply")}
    assert found == {"reply_charging": "requested", **kept}
    assert names == []


@pytest.mark.parametrize(
    ("size", "deadline", "place"),
    [
        ("0", "", "replyChargingSize"),
        ("-3", "", "replyChargingSize"),
        ("30 KB", "", "replyChargingSize"),
        ("9" * 11, "", "replyChargingSize"),
        ("", "soon", "replyDeadline"),
        ("", "-PT1H", "replyDeadline"),
        ("", "2001-01-01T00:00:00Z", "replyDeadline"),
    ],
)
def test_reply_charging_that_means_nothing_is_refused(size: str, deadline: str, place: str) -> None:
    fields = {"reply_charging": True, "reply_charging_size": size, "reply_deadline": deadline}
    assert refusal(**fields) == (2007, f"SubmitReq/ReplyCharging/{place}")


@pytest.mark.parametrize(
    ("given", "date", "found"),
    [
        (f"{text(NOW - HOUR)}Z", NOW - HOUR, []),
        (text(NOW - HOUR), NOW - HOUR, []),  # no zone: UTC
        (f"{text(NOW)}+01:00", NOW - HOUR, []),
        ("1970-01-01T00:00:00Z", None, ["MM7-R103"]),
        ("2999-01-01T00:00:00Z", None, ["MM7-R103"]),
        ("PT5M", None, ["MM7-R103"]),
        ("today", None, ["MM7-R103"]),
    ],
)
def test_a_time_stamp_that_can_be_right_dates_the_mm(given: str, date: int | None, found: list[str]) -> None:
    submission, names = read(time_stamp=given)
    assert submission.date == (None if date is None else date // 1_000_000 * 1_000_000)
    assert names == found


@pytest.mark.parametrize(
    ("message_class", "asked", "reports", "found"),
    [
        ("Auto", True, False, ["MM7-R101"]),
        ("auto", False, False, []),
        ("Personal", True, True, []),
        ("News", True, True, ["MM7-R102"]),
    ],
)
def test_class_auto_has_no_reports(message_class: str, asked: bool, reports: bool, found: list[str]) -> None:
    submission, names = read(message_class=message_class, delivery_report=asked, read_reply=asked)
    assert (submission.delivery_report, submission.read_report) == (reports, reports)
    assert submission.message_class == message_class
    assert names == found


@pytest.mark.parametrize(
    ("party", "who", "spoken", "found"),
    [
        ("Both", "", REL6, []),
        ("ThirdParty", "sponsor", REL6, []),
        ("ThirdParty", "", REL6, ["MM7-R107"]),
        ("ThirdParty", "sponsor", REL5, ["MM7-R107"]),
        ("Everybody", "", REL6, ["MM7-R107"]),
        ("", "sponsor", REL6, ["MM7-R107"]),
    ],
)
def test_who_is_charged(party: str, who: str, spoken: mm7.Dialect, found: list[str]) -> None:
    submission, names = read(spoken=spoken, charged_party=party, charged_party_id=who)
    assert submission.details.get("charged_party", "") == party
    assert names == found


def test_a_content_that_is_not_of_its_class_is_remarked_or_refused() -> None:
    assert read(content=PICTURE, content_class="image-basic")[1] == []
    submission, names = read(content=PICTURE, content_class="text")
    assert (submission.details["content_class"], names) == ("text", ["MM7-R105"])
    policy = {"content_class_refused": True}
    assert refusal(policy=policy, content=PICTURE, content_class="text") == (2004, "SubmitReq/ContentClass")
    assert read(policy=policy, content=PICTURE, content_class="image-basic")[1] == []


@pytest.mark.parametrize(
    ("flag", "content", "found"),
    [
        (True, LOCKED, []),
        (True, PICTURE, ["MM7-R106"]),
        (True, None, ["MM7-R106"]),
        (False, LOCKED, ["MM7-R106"]),
        (False, PICTURE, []),
    ],
)
def test_drm_content_beside_the_content(flag: bool, content: Content | None, found: list[str]) -> None:
    submission, names = read(content=content, drm_content=flag)
    assert (submission.details["drm_content"], names) == ("true" if flag else "false", found)


def test_redistribution_is_kept_as_it_was_said() -> None:
    assert read(distribution_indicator=False)[0].details["distribution_indicator"] == "false"
    assert read(distribution_indicator=True)[0].details["distribution_indicator"] == "true"
    assert "distribution_indicator" not in read(drm_content=True)[0].details


# --- coded addresses

SECRET = Address("7f3a", AddressForm.NUMBER, coding="encrypted", id="key-1")
CODING = replace(NEWS, coded_addresses=(("7f3a", "+15550100123"), ("key-2", "+15550100124")))


def test_a_coded_address_is_the_number_that_the_settings_say() -> None:
    by_id = Address("zzz", AddressForm.SHORT_CODE, coding="obfuscated", id="key-2")
    submission, _ = read(CODING, to=(SECRET, TO), cc=(by_id,))
    assert submission.recipients == (
        RecipientSpec("+15550100123", hidden=True),
        RecipientSpec("+15550100123"),
        RecipientSpec("+15550100124", Role.CC, hidden=True),
    ), "who is known in coded form alone is shown to nobody"
    assert as_named("+15550100123", submission.details) == SECRET
    assert as_named("+15550100124", submission.details) == by_id
    assert as_named("+15550100999", submission.details) is None
    assert as_named("+15550100123", {}) is None


def test_a_coded_address_that_nobody_knows_cannot_be_served() -> None:
    submission, _ = read(to=(SECRET, TO))
    assert [one.obstacle for one in submission.recipients] == ["no number is known behind this encrypted address", ""]


def test_a_coded_sender() -> None:
    assert read(CODING, sender_address=SECRET)[0].sender == "+15550100123"
    where = "SubmitReq/SenderIdentification/SenderAddress"
    assert refusal(sender_address=SECRET) == (2002, where)
    assert read(CODING, to=(SECRET,), sender_address=Address("4488", AddressForm.SHORT_CODE))[0].sender == "4488"


@pytest.mark.parametrize("field", ["coding", "id"])
def test_what_is_kept_of_a_coded_address_is_bounded(field: str) -> None:
    changes: dict[str, Any] = {field: "x" * 201}
    odd = replace(SECRET, **changes)
    assert refusal(vasp=CODING, to=(odd,)) == (2002, "SubmitReq/Recipients")


# --- several recipients

SHOWN = Address("+15550100199", display_only=True)


@pytest.mark.parametrize(
    ("of_all", "own", "to", "expected"),
    [
        (PartialSuccess.ACCEPT, None, (TO, TO), True),
        (PartialSuccess.REFUSE_ANY, None, (TO, TO), False),
        (PartialSuccess.REFUSE_ANY, PartialSuccess.ACCEPT, (TO, TO), True),
        (PartialSuccess.ACCEPT, PartialSuccess.REFUSE_ANY, (TO,), False),
        (PartialSuccess.SINGLE_ONLY, None, (TO, SHOWN), False),
        (PartialSuccess.SINGLE_ONLY, None, (TO, TO), None),
        (PartialSuccess.ACCEPT, PartialSuccess.SINGLE_ONLY, (TO, TO), None),
    ],
)
def test_several_recipients(
    of_all: PartialSuccess, own: PartialSuccess | None, to: tuple[Address, ...], expected: bool | None
) -> None:
    vasp = replace(NEWS, partial_success=own)
    if expected is None:
        assert refusal(vasp=vasp, policy={"partial_success": of_all}, to=to) == (3003, "SubmitReq/Recipients")
    else:
        assert read(vasp, {"partial_success": of_all}, to=to)[0].partial_success is expected


def test_rules_about_meaning_have_names_of_their_own() -> None:
    names = [rule.name for rule in meaning_rules.MEANING_RULES]
    assert names == [*(f"MM7-R{number}" for number in range(100, 108)), "MM7-R900", "MM7-R901"]
    assert not set(names) & {rule.name for rule in rules.RULES}
    assert all(
        rule.clause and rule.text and rule.why and rule.good and rule.bad for rule in meaning_rules.MEANING_RULES
    )
