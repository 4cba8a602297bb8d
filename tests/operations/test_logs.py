"""The log's lines: one a record, machine readable on wish, and nobody's secrets in them."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from mmsc.ids import to_text
from mmsc.operations.logs import EVENTS, JsonFormatter, Log, Redactor, TextFormatter
from mmsc.settings import Settings, secrets
from mmsc.settings.model import Console, StoreSettings
from mmsc.settings.neighbours import Smsc, Vasp
from mmsc.trace import events as trace
from mmsc.trace.events import Event


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("mmsc.test").makeRecord(
        "mmsc.test", logging.WARNING, "file", 1, message, arguments, None, extra=extra
    )
    made.created = 1_700_000_000.123456
    return made


def failed() -> logging.LogRecord:
    try:
        raise ValueError("password=hunter22 in\ntwo lines")
    except ValueError:
        made = record("it failed")
        made.exc_info = sys.exc_info()
    return made


def test_a_json_line_has_time_level_logger_message_and_what_it_is_about() -> None:
    line = JsonFormatter(Redactor()).format(record("hello %s", "you", mm_id=5, neighbour="vasp:news", message_id=""))
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.123456Z",
        "level": "warning",
        "logger": "mmsc.test",
        "message": "hello you",
        "mm_id": to_text(5),
        "neighbour": "vasp:news",
    }


def test_an_exception_is_a_field_and_every_record_one_line() -> None:
    line = JsonFormatter(Redactor()).format(failed())
    assert "\n" not in line
    said = json.loads(line)
    assert said["message"] == "it failed"
    assert said["exception"].endswith("password= *** in\ntwo lines")
    assert "hunter22" not in line


@pytest.mark.parametrize("formatter", [TextFormatter, JsonFormatter])
def test_nobody_forges_a_line(formatter: type[TextFormatter | JsonFormatter]) -> None:
    line = formatter(Redactor()).format(record("from %s", "a\r\n2026 ERROR forged\x1b[31m"))
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://mmsc:hunter22@db/mmsc is away", "postgresql://***@db/mmsc is away"),
        ("Authorization: Basic ZGVtbzpzZWNyZXQ= came", "Authorization: Basic *** came"),
        ("authorization:Bearer abc", "authorization:Bearer ***"),
        ("the token swordfish1 and swordfish", "the token *** and ***"),
        ("a@b.example wrote http://h/x", "a@b.example wrote http://h/x"),
    ],
)
def test_secrets_are_taken_out(text: str, shown: str) -> None:
    assert Redactor(["swordfish", "swordfish1", "abc"])(text) == shown


def test_all_secrets_of_the_settings_are_known() -> None:
    settings = Settings(
        store=StoreSettings(postgres="postgresql://u:pg-secret@h/d"),
        console=Console(token="console-token-1234"),
        vasp={"a": Vasp(username="u", password="vasp-secret", report_url="http://x:url-secret@h/")},
        smsc={"b": Smsc(password="smscpass")},
    )
    found = set(secrets(settings))
    assert {"pg-secret", "console-token-1234", "vasp-secret", "url-secret", "smscpass"} <= found
    assert settings.store.postgres in found


@pytest.fixture
def root() -> Iterator[None]:
    """The root logger as it was, afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.mark.usefixtures("root")
def test_events_are_lines_whatever_the_level_is(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log("json", ["swordfish"])
    write = log.set("error", events=True, secrets=["swordfish"])
    assert write is not None
    moved = trace.RecipientMoved("notified", "retrieved", "retrieved", 'because "swordfish"\n')
    write(Event(1, 2, 3, None, 0, 1_700_000_000_000_001, moved))
    logging.getLogger("mmsc.other").warning("not shown")
    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said["event"] == said["message"] == "recipient.moved"
    assert said["at"] == "2023-11-14T22:13:20.000001Z"
    assert said["mm_id"] == to_text(2)
    assert said["recipient_id"] == to_text(3)
    assert "task_id" not in said
    assert said["data"] == {
        "before": "notified", "after": "retrieved", "happening": "retrieved", "because": 'because "***"\n',
    }  # fmt: skip
    assert log.set("error", events=False, secrets=()) is None


@pytest.mark.usefixtures("root")
def test_events_as_text_have_their_data(capsys: pytest.CaptureFixture[str]) -> None:
    write = Log("text", ()).set("error", events=True, secrets=())
    assert write is not None
    write(Event(1, 2, None, None, 0, 0, trace.LaneResumed("vasp:news")))
    assert capsys.readouterr().err.endswith(f'mmsc.events: lane.resumed mm_id={to_text(2)} {{"lane":"vasp:news"}}\n')
    assert logging.getLogger(EVENTS).level == logging.INFO


@pytest.mark.parametrize("formatter", [TextFormatter, JsonFormatter])
def test_an_event_keeps_its_numbers_and_its_spelling_beside_secrets(
    formatter: type[TextFormatter | JsonFormatter],
) -> None:
    """Redacted before it is JSON: a secret of digits breaks no number, one with a quotation mark has one spelling."""
    made = trace.MmAccepted("mm7", "news", "m1", 'pass"word', 1, 12345, 'password="x"')
    told = {"event": made.kind, "at": "2023-11-14T22:13:20Z", "data": made}
    line = formatter(Redactor(["1234", 'pass"word'])).format(record("mm.accepted", event=told))
    data = json.loads(line[line.index('{"interface"') :].partition("}")[0] + "}")
    assert data["size_octets"] == 12345
    assert data["sender"] == "***"
    assert data["subject"] == 'password= ***"'
