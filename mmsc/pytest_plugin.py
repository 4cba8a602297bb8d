"""A pytest plugin: the fixture `mmsc_lab`, a lab of its own for the test session, clean before each test.

    def test_my_vasp_gets_its_report(mmsc_lab):
        sent = mmsc_lab.submit(to="+15550000001", text="Good morning")
        mmsc_lab.expect("DeliveryReportReq", MessageID=sent.message_id, MMStatus="Retrieved")

The lab is a child process, started when a test first asks for it (with pytest-xdist: one a worker), and ended with the
session. `--mmsc-url` names one that runs instead. Time is the lab's: what would take an hour takes a moment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import pytest

from mmsc.client import ApiError, Client, Handsets, Json, Submitted, start_lab
from mmsc.client.looking import SOURCES, Seen, Wanted, lines, nearest, wanted
from mmsc.client.times import seconds_of
from mmsc.client.waiting import WITHIN_SECONDS, Watch, until, why

_FIXTURE: Final = "mmsc_lab"
Within = float | str


class Phone:
    """A handset of the lab."""

    def __init__(self, lab: "Lab", number: str) -> None:
        self._lab = lab
        self._handsets = Handsets(lab.client)
        self.number = number

    def behave(self, behaviour: str | Json) -> None:
        """What it does from now on: `immediate`, `deferred`, `reject`, `never`, `immediate+read` ..."""
        self._handsets.behave(self.number, behaviour)

    @property
    def inbox(self) -> list[Json]:
        """What is on it, oldest first: messages, texts, reports, what was sent."""
        return self._handsets.inbox(self.number)

    def send(self, to: str | Sequence[str], **given: Any) -> Json:
        """Send an MM over MM1: `subject`, `text`, `delivery_report` ...; what the MMSC answered stands in the item."""
        return self._handsets.send(self.number, _listed(to), **given)

    def do(self, what: str, **given: Any) -> Json:
        """fetch, reject, read, delete, forward, reply, off, on."""
        return self._handsets.do(self.number, what, **given)

    def expect(self, got: str = "message", *, within: Within = WITHIN_SECONDS, **fields: Any) -> Mapping[str, Any]:
        """Wait until there is something of the kind on it: message, text, delivery_report, read_report, sent."""
        __tracebackhide__ = True
        return self._lab.expect(phone_got=got, phone=self.number, within=within, **fields)


class Lab:
    """A lab, for one test at a time. Whatever is set by a `with` of it is undone at its end."""

    def __init__(self, client: Client, told: Mapping[str, Any] | None = None) -> None:
        self.client = client
        self.url = client.url
        self.places: Mapping[str, str] = client.lab()["places"]
        self.vasp: Mapping[str, str] = (told or {}).get("vasp", {})
        self._watch = Watch(client)
        self._sent: list[Submitted] = []

    @property
    def mm7_url(self) -> str:
        """Where a VASP posts its SOAP."""
        return f"{self.places['mm7']}/mm7"

    def reset(self) -> None:
        """Forget every message, what the neighbours got, faults, and what was done to the clock."""
        self.client.reset()
        self._watch.used.clear()
        self._sent.clear()

    # --- doing ---

    def submit(self, to: str | Sequence[str], **elements: Any) -> Submitted:
        """Submit an MM by MM7 as a VASP of the lab; `elements` are those of SubmitReq: `subject`, `text` ..."""
        elements.setdefault("delivery_report", True)
        sent = self.client.submit(to=_listed(to), **elements)
        self._sent.append(sent)
        return sent

    def phone(self, number: str) -> Phone:
        """A handset."""
        return Phone(self, number)

    def vasp_answers(self, text: str, *, vasp: str = "demo") -> None:
        """What a VASP of the lab answers from now on: `HTTP 503*2,1000`."""
        self.client.answers(text, vasp=vasp)

    def account(self, name: str, **settings: object) -> None:
        """A VASP of your own at the MMSC: `vasp_id`, `username`, `password`, `report_url` (your listener's) and
        whatever else its settings know. One that there is already has these settings from now on."""
        self.client.put(f"/vasps/{name}", {"vasp_id": name, **settings})

    def step(self, time: Within) -> None:
        """Service time jumps ahead: `"1 h"`, or seconds."""
        self.client.step(_seconds(time))

    def settle(self, time: Within = 0.0) -> None:
        """Let all come to rest, after so much service time."""
        until(self.client, lambda: None, _seconds(time))

    @contextmanager
    def fault(self, name: str, **parameters: object) -> Iterator[None]:
        """A fault that is on for a while."""
        self.client.set_fault(name, **parameters)
        try:
            yield
        finally:
            with suppress(ApiError):
                self.client.clear_fault(name)

    @contextmanager
    def clock_paused(self) -> Iterator[None]:
        """Service time stands for a while."""
        self.client.pause()
        try:
            yield
        finally:
            self.client.resume()

    # --- expecting ---

    def expect(
        self,
        vasp_got: str | None = None,
        *,
        within: Within = WITHIN_SECONDS,
        of: Submitted | str | None = None,
        **about: object,
    ) -> Mapping[str, Any]:
        """Wait until something has come, in service time; its fields. The first argument is what a VASP got; else one
        of `phone_got`, `event`, `pdu`, `state` by name. What else is named are patterns for its fields: a value, `*`,
        `/regular expression/`, `1..100`, a list of which it is one."""
        __tracebackhide__ = True
        wish = self._wish(vasp_got, of, about)
        one, seen = self._watch.wait(wish, _seconds(within))
        if one is None:
            best = nearest(seen, wish)
            expected, got = lines(wish, best)
            told = f"{why(wish, seen, best)}\n  expected  {expected}\n  got       {got}"
            raise AssertionError(f"{told}\n{self._ladders(wish)}")
        self._watch.use(one)
        return one.fields

    def nothing(
        self,
        vasp_got: str | None = None,
        *,
        within: Within = WITHIN_SECONDS,
        of: Submitted | str | None = None,
        **about: object,
    ) -> None:
        """Nothing of the kind comes for so much service time, beyond what was expected before."""
        __tracebackhide__ = True
        wish = self._wish(vasp_got, of, about)
        one, _ = self._watch.wait(wish, _seconds(within))
        if one is not None:
            raise AssertionError(f"something came that should not: {_told(one)}\n{self._ladders(wish)}")

    def ladder(self, of: Submitted | str | None = None) -> str:
        """The ladder of a message, as text."""
        return self.client.ladder(self._id(of))

    def _wish(self, vasp_got: str | None, of: Submitted | str | None, about: dict[str, object]) -> Wanted:
        if vasp_got is not None:
            about["vasp_got"] = vasp_got
        source = next((name for name in SOURCES if name in about), "")  # `state` beside another is a field of that
        names = (source, "vasp", "phone", "number", *(("from_", "to") if source == "pdu" else ()))
        what = {name.rstrip("_"): about.pop(name) for name in names if name in about}
        return wanted({**what, "fields": about}, {}, self._id(of))

    def _id(self, of: Submitted | str | None) -> str:
        if isinstance(of, Submitted):
            return of.mm_id
        return of or next((one.mm_id for one in reversed(self._sent) if one.mm_id), "")

    def _ladders(self, wish: Wanted) -> str:
        """What is known of the message it was about."""
        try:
            return self.client.ladder(wish.mm_id) if wish.mm_id else "(no message was accepted)"
        except (ApiError, OSError) as error:
            return f"(no ladder: {error})"


def _listed(to: str | Sequence[str]) -> list[str]:
    return [to] if isinstance(to, str) else list(to)


def _seconds(time: Within) -> float:
    return seconds_of(time) if isinstance(time, str) else float(time)


def _told(one: Seen) -> str:
    return f"{one.name} {dict(one.fields)}"


_LAB: Final = pytest.StashKey[Lab]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--mmsc-url`, `--mmsc-token`."""
    group = parser.getgroup("mmsc")
    group.addoption("--mmsc-url", default="", help="a lab that runs, instead of one for this session")
    group.addoption("--mmsc-token", default="", help="the token of its console")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that uses the lab finds it clean."""
    lab = item.session.stash.get(_LAB, None)
    if lab is not None and _FIXTURE in getattr(item, "fixturenames", ()):
        lab.reset()


@pytest.fixture(scope="session")
def mmsc_lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The lab of this session; each test finds it clean."""
    url, token = request.config.getoption("--mmsc-url"), request.config.getoption("--mmsc-token")
    if url:
        with Client(url, token=token) as client:
            request.session.stash[_LAB] = lab = Lab(client)
            lab.reset()
            yield lab
        return
    with start_lab() as child, Client(child.url) as client:
        request.session.stash[_LAB] = lab = Lab(client, child.told)
        yield lab
