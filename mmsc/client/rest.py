"""The client of the server's REST interface (/api/v1).

What the server refuses is an `ApiError` with its words; a server that is not there is an OSError.
"""

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

Json = dict[str, Any]
ROOT: Final = "/api/v1"
_SHOWN_CHARACTERS: Final = 300
_LOOK_SECONDS: Final = 0.01
_STILL_SECONDS: Final = 0.03  # two looks so far apart say that all has come to rest


class ApiError(Exception):
    """The server answered, and did not do it. `status` is HTTP's, `detail` in words."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"HTTP {status}: {detail}")
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Submitted:
    """What an MMSC answered to a submission. `mm_id` is the MM's own, "" where nothing was accepted."""

    transaction_id: str
    status_code: int
    status_text: str
    message_id: str
    mm_id: str
    http_status: int
    details: str
    answer: str
    problem: str

    @property
    def accepted(self) -> bool:
        """Whether it was taken, as a whole or in part (1xxx)."""
        return 1000 <= self.status_code < 2000


@dataclass(frozen=True)
class Still:
    """Whether all that was begun has come to rest; service time in microseconds."""

    idle: bool
    now: int
    next_due: int | None


class Client:
    """One server. Safe to use from several threads, one request at a time."""

    def __init__(self, url: str, *, token: str = "", timeout_seconds: float = 60.0) -> None:
        """`url` as the console's: `http://127.0.0.1:8800`. ValueError for what is none."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http or https address")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._tls = parts.scheme == "https"
        self._place = parts.netloc.rpartition("@")[2]
        self._token = token
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; another request opens a new one."""
        with self._lock:
            self._drop()

    # --- any operation ---

    def get(self, path: str, **query: object) -> Any:
        """What is there, as JSON."""
        return self.request("GET", path, query=query)

    def put(self, path: str, body: Mapping[str, object]) -> Any:
        """Set something."""
        return self.request("PUT", path, body=body)

    def post(self, path: str, body: Mapping[str, object] | None = None, **query: object) -> Any:
        """Do something."""
        return self.request("POST", path, body=body, query=query)

    def delete(self, path: str, **query: object) -> Any:
        """Take something away."""
        return self.request("DELETE", path, query=query)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        accept: str = "application/json",
    ) -> Any:
        """Any operation; `path` stands below /api/v1. JSON comes back as Python has it, other text as a str, nothing
        as None. Raises ApiError, OSError."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        place = f"{ROOT}{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Accept": accept}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        octets = None if body is None else json.dumps(body).encode()
        if octets is not None:
            headers["Content-Type"] = "application/json"
        status, media, answer = self._ask(method, place, octets, headers)
        if status >= 400:
            raise ApiError(status, _detail(answer))
        if not answer:
            return None
        return json.loads(answer) if "json" in media else answer.decode("utf-8", "replace")

    def _ask(self, method: str, place: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        with self._lock:
            kept = self._connection is not None
            try:
                return self._once(method, place, body, headers)
            except (ConnectionError, http.client.RemoteDisconnected):
                self._drop()
                if not kept:  # a kept connection may be closed by the server at any moment (RFC 9112 9.3.1)
                    raise
                return self._once(method, place, body, headers)
            except BaseException:
                self._drop()
                raise

    def _once(self, method: str, place: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
            self._connection = kind(self._place, timeout=self._timeout)
        self._connection.request(method, place, body=body, headers=dict(headers))
        answer = self._connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None

    # --- the lab's VASPs and SMSCs ---

    def lab(self) -> Json:
        """Who is in the lab, and where."""
        found: Json = self.get("/lab")
        return found

    def submit(
        self, *, to: Sequence[str] = (), vasp: str = "demo", lose_answer: bool = False, **elements: object
    ) -> Submitted:
        """Submit an MM by MM7 as a VASP of the lab; `elements` are those of SubmitReq: `subject`, `text`,
        `delivery_report`, `read_reply`, `expiry_date` ... ApiError for what cannot be written."""
        body = {"to": list(to), "lose_answer": lose_answer, **elements}
        return _submitted(self.post(f"/lab/vasps/{quote(vasp)}/submit", body))

    def repeat(self, transaction_id: str, *, vasp: str = "demo") -> Submitted:
        """The VASP sends a request again, octet for octet."""
        return _submitted(self.post(f"/lab/vasps/{quote(vasp)}/repeat", {"transaction_id": transaction_id}))

    def cancel(self, message_id: str, *, vasp: str = "demo") -> Submitted:
        """The VASP withdraws an MM."""
        return _submitted(self.post(f"/lab/vasps/{quote(vasp)}/cancel", {"message_id": message_id}))

    def received(self, *, vasp: str = "demo", after: int = 0) -> list[Json]:
        """What the VASP got: DeliveryReportReq, ReadReplyReq, DeliverReq, behind a number."""
        found: list[Json] = self.get(f"/lab/vasps/{quote(vasp)}/received", after=after)["received"]
        return found

    def answers(self, text: str = "1000", *, vasp: str = "demo", delay_seconds: float = 0.0) -> None:
        """What the VASP answers from now on: `HTTP 503*2,1000`."""
        self.put(f"/lab/vasps/{quote(vasp)}", {"answers": text, "delay_seconds": delay_seconds})

    def mood(self, *, smsc: str = "builtin", **mood: object) -> Json:
        """What the SMSC does other than saying yes: `statuses`, `per_second`, `lost` ..."""
        found: Json = self.put(f"/lab/smscs/{quote(smsc)}", mood)
        return found

    def still(self) -> Still:
        """Whether all that was begun has come to rest."""
        return Still(**self.get("/lab/still"))

    def settle(self, timeout_seconds: float = 10.0) -> Still:
        """Wait until all has come to rest (real time). Raises TimeoutError."""
        deadline = time.monotonic() + timeout_seconds
        quiet = 0.0
        while True:
            found = self.still()
            if not found.idle:
                quiet = 0.0
            elif not quiet:
                quiet = time.monotonic()
            elif time.monotonic() - quiet >= _STILL_SECONDS:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"something is still under way after {timeout_seconds:g} s")
            time.sleep(_LOOK_SECONDS)

    # --- messages ---

    def messages(self, q: str = "", *, before: str | None = None, limit: int = 50) -> Json:
        """A page of messages, newest first, as the console's search finds them."""
        found: Json = self.get("/messages", q=q or None, before=before, limit=limit)
        return found

    def message(self, mm_id: str) -> Json:
        """One message, with its recipients."""
        found: Json = self.get(f"/messages/{mm_id}")
        return found

    def recipients(self, mm_id: str) -> list[Json]:
        """What became of each recipient."""
        return self._pages(f"/messages/{mm_id}/recipients", "rows")

    def events(self, mm_id: str) -> list[Json]:
        """What happened, in order."""
        return self._pages(f"/messages/{mm_id}/events", "events")

    def _pages(self, path: str, name: str) -> list[Json]:
        """All pages of a list, one after the other."""
        found: list[Json] = []
        after: str | None = None
        while True:
            page = self.get(path, after=after)
            found += page[name]
            after = page.get("more")
            if after is None:
                return found

    def pdus(self, mm_id: str) -> list[Json]:
        """The PDUs of a message, in the order of its ladder."""
        return _listed(self.get(f"/messages/{mm_id}/pdus"), "pdus")

    def pdu(self, mm_id: str, number: str) -> Json:
        """One PDU by its number in the ladder: its fields with their octet ranges, and the octets."""
        found: Json = self.get(f"/messages/{mm_id}/pdus/{quote(number)}")
        return found

    def ladder(self, mm_id: str) -> str:
        """The ladder of a message as text, 100 columns."""
        return str(self.get(f"/messages/{mm_id}/ladder.txt"))

    def ladder_rows(self, mm_id: str) -> Json:
        """The ladder of a message: `columns`, and `rows` whose source and target are indices of them."""
        found: Json = self.get(f"/messages/{mm_id}/ladder")
        return found

    def wait(self, mm_id: str, *states: str, timeout_seconds: float = 10.0) -> Json:
        """Until each recipient of a message is or was in one of these states (real time). Raises TimeoutError."""
        found: Json = self.get(f"/messages/{mm_id}/wait", state=",".join(states), timeout=timeout_seconds)
        if found.get("reached") is False:
            raise TimeoutError(f"not all recipients of {mm_id} are {' or '.join(states)} after {timeout_seconds:g} s")
        return found

    def reset(self, run: str | None = None) -> None:
        """Forget every message, what the neighbours got, faults, and what was done to the clock; or the messages of a
        run alone. Service time stays ahead where it is: it never goes back."""
        self.post("/reset", {"run": run or ""})
        if run:
            return
        for undone in (lambda: self.post("/lab/forget"), self.clear_fault, lambda: self.turn(paused=False, speed=1.0)):
            with suppress(ApiError):  # a server without a lab, without faults, whose clock is held
                undone()

    # --- faults and clock ---

    def faults(self) -> Json:
        """The catalogue, and which are on."""
        found: Json = self.get("/faults")
        return found

    def set_fault(self, name: str, **parameters: object) -> Json:
        """Switch a fault on."""
        found: Json = self.put(f"/faults/{quote(name)}", parameters)
        return found

    def clear_fault(self, name: str | None = None) -> None:
        """Switch one off, or all."""
        self.delete("/faults" if name is None else f"/faults/{quote(name)}")

    def clock(self) -> Json:
        """How service time runs."""
        found: Json = self.get("/clock")
        return found

    def turn(self, **what: object) -> Json:
        """Turn the clock: `paused`, `speed`, `step_seconds`, `to`, `to_next`."""
        found: Json = self.post("/clock", what)
        return found

    def step(self, seconds: float) -> Json:
        """Service time jumps ahead."""
        return self.turn(step_seconds=seconds)

    def pause(self) -> Json:
        """Service time stands."""
        return self.turn(paused=True)

    def resume(self) -> Json:
        """Service time goes on."""
        return self.turn(paused=False)

    def speed(self, speed: float) -> Json:
        """Service seconds per real second."""
        return self.turn(speed=speed)

    # --- scenarios ---

    def scenarios(self) -> Json:
        """The files that the server has, and the runs."""
        found: Json = self.get("/scenarios")
        return found

    def run_scenarios(self, names: Sequence[str]) -> str:
        """Start a run; its id."""
        return str(self.post("/scenarios/runs", {"scenarios": list(names)})["id"])

    def scenario_run(self, run: str) -> Json:
        """How a run goes, with its verdicts."""
        found: Json = self.get(f"/scenarios/runs/{quote(run)}")
        return found


def _submitted(found: Json) -> Submitted:
    return Submitted(**{name: found.get(name, "") for name in Submitted.__dataclass_fields__})


def _listed(found: Any, name: str) -> list[Json]:
    listed: list[Json] = found if isinstance(found, list) else found[name]
    return listed


def _detail(answer: bytes) -> str:
    text = answer.decode("utf-8", "replace")
    with suppress(ValueError):
        told = json.loads(text)
        if isinstance(told, dict):
            return str(told.get("detail", text))[:_SHOWN_CHARACTERS]
    return text.strip()[:_SHOWN_CHARACTERS]
