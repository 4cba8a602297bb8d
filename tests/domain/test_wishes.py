"""The pure rules about what an originator asks for: content classes, protected content, delivery conditions, expiry."""

import pytest

from mmsc.domain.conditions import CONDITIONS, DeliveryCondition, kept, requires
from mmsc.domain.content_class import CLASSES, misfit
from mmsc.domain.drm import protected_parts
from mmsc.domain.limits import Limits, Times, check
from mmsc.domain.message import Content, Part, Relative
from mmsc.domain.neighbours import Verdict
from mmsc.domain.notification import End, NotificationPolicy, Push, SendLink, Step, next_step
from mmsc.domain.states import Happening, RecipientState
from mmsc.domain.vasp_policy import VaspPolicy
from tests.domain.test_rules import MM, RECIPIENT, T0, at, submission

KILO = 1024
CAPABLE_ONLY = MM._replace(details={CONDITIONS: kept([DeliveryCondition.MMS_CAPABLE])})
NO_FALLBACK = NotificationPolicy(fallback=False)


def content(*media: tuple[str, int]) -> Content:
    parts, offset = [], 0
    for kind, length in media:
        parts.append(Part(kind, f"p{offset}", "", offset, length))
        offset += length
    return Content("application/vnd.wap.multipart.mixed", bytes(offset), tuple(parts))


@pytest.mark.parametrize(
    ("declared", "given", "why"),
    [
        ("text", content(("text/plain; charset=utf-8", 30 * KILO)), ""),
        ("text", content(("Text/X-vCard", 1)), ""),
        ("Text", content(("application/smil", 100), ("image/jpeg", 1)), "Text has no image/jpeg"),
        ("image-basic", content(("image/gif", 20 * KILO), ("text/plain", 10 * KILO)), ""),
        (
            "image-basic",
            content(("image/jpeg", 30 * KILO), ("text/plain", 1)),
            "image-basic has at most 30720 octets of media, these are 30721",
        ),
        ("image-rich", content(("audio/sp-midi", 100 * KILO)), ""),
        ("image-rich", content(("video/3gpp", 9), ("image/png", 9)), "image-rich has no image/png, video/3gpp"),
        ("video-basic", content(("video/3gpp", 100 * KILO)), ""),
        ("video-rich", content(("video/3gpp", 300 * KILO + 1)), "video-rich has at most 307200 octets of media, "),
        ("megapixel", content(("image/jpeg", 600 * KILO)), ""),
        ("content-basic", content(("application/xhtml+xml", 900 * KILO)), ""),
        ("content-rich", None, ""),
        ("image-huge", None, "'image-huge' is no content class"),
    ],
)
def test_a_content_is_of_its_class_or_it_is_said_why_not(declared: str, given: Content | None, why: str) -> None:
    assert misfit(declared, given).startswith(why)
    assert bool(misfit(declared, given)) == bool(why)


def test_the_classes_are_those_of_the_standard() -> None:
    """OMA-TS-MMS_ENC 7.3.9, and the words of TS 23.140."""
    first = ["text", "image-basic", "image-rich", "video-basic", "video-rich", "megapixel"]
    assert list(CLASSES) == [*first, "content-basic", "content-rich"]


@pytest.mark.parametrize(
    ("media", "found"),
    [
        ("application/vnd.oma.drm.message; boundary=b", ("application/vnd.oma.drm.message",)),
        ("Application/VND.OMA.DRM.Content", ("application/vnd.oma.drm.content",)),
        ("application/vnd.oma.drm.dcf", ("application/vnd.oma.drm.dcf",)),
        ("image/jpeg", ()),
    ],
)
def test_protected_content_is_known_by_its_type(media: str, found: tuple[str, ...]) -> None:
    assert protected_parts(content(("text/plain", 1), (media, 5))) == found
    assert protected_parts(None) == ()


def test_the_numbers_of_conditions_are_a_setting() -> None:
    policy = VaspPolicy(mms_capable_condition=7, home_network_condition=0)
    assert policy.condition(7) is DeliveryCondition.MMS_CAPABLE
    assert [policy.condition(number) for number in (1, 2, 99)] == [None] * 3
    both = {CONDITIONS: kept([DeliveryCondition.MMS_CAPABLE, DeliveryCondition.HOME_NETWORK])}
    assert all(requires(both, one) for one in DeliveryCondition)
    assert not requires({}, DeliveryCondition.MMS_CAPABLE)


@pytest.mark.parametrize(
    ("verdict", "policy", "pushes", "step"),
    [
        (Verdict.CAPABLE, NotificationPolicy(), 0, Push),
        (Verdict.INCAPABLE, NotificationPolicy(), 0, End),
        (Verdict.INCAPABLE, NO_FALLBACK, 0, End),
        (Verdict.UNKNOWN, NotificationPolicy(), 0, Push),
        (Verdict.UNKNOWN, NotificationPolicy(), 1, End),
        (Verdict.UNKNOWN, NO_FALLBACK, 1, Push),
    ],
)
def test_what_is_for_mms_terminals_only_never_becomes_a_link(
    verdict: Verdict, policy: NotificationPolicy, pushes: int, step: type[Step]
) -> None:
    """TS 23.140 8.7.1, DeliveryCondition; where a link would go, the condition is not met."""
    state = RecipientState.NOTIFIED if pushes else RecipientState.ACCEPTED
    recipient = RECIPIENT._replace(state=state, pushes=pushes)
    found = next_step(CAPABLE_ONLY, recipient, verdict, policy, at(3600))
    assert isinstance(found, step)
    if isinstance(found, End):
        assert found.happening is Happening.CONDITION_FAILED
        if policy.fallback:
            assert isinstance(next_step(MM, recipient, verdict, policy, at(3600)), SendLink)


def test_an_expiry_beyond_the_longest_validity_is_cut_and_known_to_be() -> None:
    limits = Limits()
    times = check(submission(expires=Relative(100 * 86400)), limits, T0)
    assert isinstance(times, Times)
    assert (times.expires_at, times.asked) == (T0 + limits.maximum_validity, at(100 * 86400))
    exact = check(submission(expires=Relative(30 * 86400)), limits, T0)
    assert isinstance(exact, Times)
    assert exact.asked is None
