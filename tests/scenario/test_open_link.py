"""`open_link` follows the links of this MMSC, and no other that an SMS may name."""

import http.server
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.error import HTTPError

import pytest

from mmsc.client import Client
from mmsc.client.waiting import Watch
from mmsc.scenario.acting import Acting
from mmsc.scenario.model import Step
from mmsc.scenario.story import Story

NUMBER = "+15550000003"


class _Lab(Client):
    """A lab whose handset has an SMS, or some."""

    def __init__(self, text: str, place: str, public_url: str = "", later: tuple[str, ...] = ()) -> None:
        super().__init__("http://127.0.0.1:9")
        self._answers: dict[str, Any] = {
            "inbox": {"items": [{"kind": "text", "text": one} for one in (text, *later)]},
            "server": {"interfaces": [{"name": "weblink", "place": place, "public_url": public_url}]},
        }

    def get(self, path: str, **_: object) -> Any:
        return self._answers[path.rpartition("/")[2]]


class _Page(http.server.BaseHTTPRequestHandler):
    """The page of a link; that of another leads away."""

    def do_GET(self) -> None:
        away = self.path == "/w/away"
        self.send_response(302 if away else 200)
        self.send_header("Location" if away else "X-Is", "http://127.0.0.1:9/" if away else "a page")
        self.end_headers()
        self.wfile.write(b"The lake")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def web_link() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def opened(lab: Client) -> dict[str, object]:
    step = Step("phone", {"number": NUMBER, "does": "open_link"}, 1)
    return Acting(lab, Story(Watch(lab))).do(step)


def test_a_link_of_this_mmsc_is_opened() -> None:
    with web_link() as place:
        for public_url in ("", place):
            told = opened(_Lab(f"You have a message: {place}/w/abc", "" if public_url else place, public_url))
            assert (told["status"], told["page"]) == (200, "The lake")


def test_what_others_send_later_hides_no_link_of_ours() -> None:
    """The last one of ours is opened, whoever wrote since then; also a word that only begins like a link."""
    with web_link() as place:
        later = (f"again: {place}/w/new", "see http://127.0.0.1:9/w/abc", "https or httpd", "http://[")
        told = opened(_Lab(f"You have a message: {place}/w/abc", place, later=later))
        assert (told["status"], told["link"]) == (200, f"{place}/w/new")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.1@127.0.0.1"])
def test_another_link_is_not(host: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        link = f"http://{host}:{other.getsockname()[1]}/w/abc"
        with pytest.raises(ValueError, match="none of this MMSC's web link"):
            opened(_Lab(f"Click {link}", "http://127.0.0.1:8802", "https://mms.example"))
        assert select.select([other], [], [], 0)[0] == [], "nobody connected"


def test_a_page_of_ours_leads_nowhere_else() -> None:
    with web_link() as place, pytest.raises(HTTPError, match="302") as caught:
        opened(_Lab(f"{place}/w/away", place))
    caught.value.close()
