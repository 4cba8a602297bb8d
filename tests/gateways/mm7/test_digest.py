"""HTTP Digest by its own rules (RFC 7616, RFC 2617): examples of the standards, nonces, nonce counts."""

import random
from typing import Any

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.neighbours import Vasp
from mmsc.gateways.mm7.digest import COUNT_WINDOW, Digest, Nonces, Verdict, ha1_of, parameters
from mmsc.gateways.mm7.digest import _response as response_of

REALM = "MM7"
NEWS = Vasp(
    name="news",
    username="news",
    ha1_md5=ha1_of("MD5", "news", REALM, "secret"),
    ha1_sha256=ha1_of("SHA-256", "news", REALM, "secret"),
)
OLD = Vasp(name="old", username="old", ha1_md5=ha1_of("MD5", "old", REALM, "secret"))
VASPS = {"news": NEWS, "old": OLD}


def digest(nonces: Nonces | None = None, algorithms: tuple[str, ...] = ("SHA-256", "MD5")) -> Digest:
    return Digest(REALM, algorithms, nonces or Nonces(VirtualClock().real_now))


def credentials(nonce: str, count: int = 1, /, *, vasp: Vasp = NEWS, algorithm: str = "SHA-256", **changes: Any) -> str:
    """What a client that knows the password sends; `changes` are made after it has computed."""
    given = {"username": vasp.username, "realm": REALM, "nonce": nonce, "uri": "/mm7", "qop": "auth"}
    given |= {"nc": f"{count:08x}", "cnonce": "0a4f113b", "algorithm": algorithm}
    secret = vasp.ha1_md5 if algorithm == "MD5" else vasp.ha1_sha256
    given["response"] = response_of(algorithm, secret or "0", "POST", given)
    given |= changes
    return ", ".join(f'{name}="{value}"' for name, value in given.items() if value)


def nonce_of(challenge: str) -> str:
    told = parameters(challenge.removeprefix("Digest "))
    assert told is not None
    return told["nonce"]


@pytest.mark.parametrize(
    ("realm", "password", "uri", "algorithm", "nonce", "cnonce", "response"),
    [
        (  # RFC 2617 3.5
            *("testrealm@host.com", "Circle Of Life", "/dir/index.html", "MD5"),
            *("dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b", "6629fae49393a05397450978507c4ef1"),
        ),
        (  # RFC 7616 3.9.1
            *("http-auth@example.org", "Circle of Life", "/dir/index.html", "MD5"),
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        (
            *("http-auth@example.org", "Circle of Life", "/dir/index.html", "SHA-256"),
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ],
)
def test_the_examples_of_the_standards(
    realm: str, password: str, uri: str, algorithm: str, nonce: str, cnonce: str, response: str
) -> None:
    """Their nonces are not ours: `stale` says that the response was right."""
    ha1 = ha1_of(algorithm, "Mufasa", realm, password)
    vasp = Vasp(name="m", username="Mufasa", ha1_md5=ha1, ha1_sha256=ha1)
    sent = (
        f'username="Mufasa", realm="{realm}", nonce="{nonce}", uri="{uri}", qop=auth, nc=00000001,'
        f' cnonce="{cnonce}", response="{response}", algorithm={algorithm}'
    )
    judge = Digest(realm, (algorithm,), Nonces(VirtualClock().real_now))
    assert judge.verdict(sent, "GET", uri, {"m": vasp}).stale
    assert not judge.verdict(sent.replace(response[:4], "0000"), "GET", uri, {"m": vasp}).stale


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_who_knows_the_password_is_let_in_once_for_each_count(algorithm: str) -> None:
    judge = digest()
    nonce = nonce_of(judge.challenges(VASPS)[0])
    counts = [1, 2, 5, 3, 2, 4, 5, 2000, 1999, 1, 2000 - COUNT_WINDOW + 1, 2000 - COUNT_WINDOW]
    verdicts = [
        judge.verdict(credentials(nonce, count, algorithm=algorithm), "POST", "/mm7", VASPS) for count in counts
    ]
    taken = [one.vasp is NEWS for one in verdicts]
    assert taken == [True, True, True, True, False, True, False, True, True, False, True, False]
    assert {one.stale for one in verdicts if one.vasp is None} == {True}, "its password is right: it may try again"


def test_counts_in_any_order_are_taken_once() -> None:
    chance, judge = random.Random(7), digest()
    nonce = nonce_of(judge.challenges(VASPS)[0])
    counts = list(range(1, 500)) * 2
    chance.shuffle(counts)
    taken = [count for count in counts if judge.verdict(credentials(nonce, count), "POST", "/mm7", VASPS).vasp]
    assert sorted(taken) == list(range(1, 500))


def test_a_nonce_grows_old() -> None:
    clock = VirtualClock()
    judge = digest(Nonces(clock.real_now, 300_000_000))
    nonce = nonce_of(judge.challenges(VASPS)[0])
    clock.advance(300)
    assert judge.verdict(credentials(nonce), "POST", "/mm7", VASPS).vasp is NEWS
    clock.advance(0.001)
    late = judge.verdict(credentials(nonce, 2), "POST", "/mm7", VASPS)
    assert (late.vasp, late.stale, late.why) == (None, True, "Digest: the nonce is older than 300 s")


def test_only_what_was_used_is_remembered_and_no_more_than_the_limit() -> None:
    clock = VirtualClock()
    nonces = Nonces(clock.real_now, maximum=10)
    judge = digest(nonces)
    issued = []
    for _ in range(30):
        clock.advance(1)
        issued.append(nonce_of(judge.challenges(VASPS)[0]))
    assert len(nonces._used) == 0, "asking costs nothing"
    assert judge.verdict(credentials(issued[0], response="0" * 64), "POST", "/mm7", VASPS).vasp is None
    assert len(nonces._used) == 0, "nor does guessing"
    for nonce in issued[1:12]:
        assert judge.verdict(credentials(nonce), "POST", "/mm7", VASPS).vasp is NEWS
    assert len(nonces._used) == 10
    forgotten = judge.verdict(credentials(issued[1]), "POST", "/mm7", VASPS)
    assert (forgotten.vasp, forgotten.stale) == (None, True), "what it was used for is not known any more"
    assert judge.verdict(credentials(issued[0]), "POST", "/mm7", VASPS).stale, "nor of any that is older"
    clock.advance(1000)
    assert judge.verdict(credentials(nonces.issue()), "POST", "/mm7", VASPS).vasp is NEWS
    assert len(nonces._used) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"response": "0" * 64}, "wrong response"),
        ({"response": "\udcff"}, "wrong response"),
        ({"response": ""}, "wrong response"),
        ({"realm": "other"}, "wrong response or realm"),
        ({"nonce": "eA=="}, "wrong response"),
        ({"username": "nobody"}, "no VASP has username 'nobody'"),
        ({"username": ""}, "no VASP has username ''"),
        ({"algorithm": "SHA-512-256"}, "was not offered"),
        ({"algorithm": "MD5-sess"}, "was not offered"),
        ({"qop": ""}, "qop is not auth"),
        ({"qop": "auth-int"}, "qop is not auth"),
        ({"nc": "1"}, "eight hexadecimal digits"),
        ({"nc": "0000000x"}, "eight hexadecimal digits"),
        ({"cnonce": "other"}, "wrong response"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, Any], why: str) -> None:
    judge = digest()
    verdict = judge.verdict(credentials(nonce_of(judge.challenges(VASPS)[0]), **changes), "POST", "/mm7", VASPS)
    assert (verdict.vasp, verdict.stale, verdict.malformed) == (None, False, False)
    assert why in verdict.why


def test_credentials_for_another_request_are_a_bad_request() -> None:  # RFC 7616 3.4.6
    judge = digest()
    sent = credentials(judge._nonces.issue())
    assert judge.verdict(sent, "POST", "/other", VASPS).malformed
    assert judge.verdict(sent, "POST", "", VASPS).vasp is NEWS, "a proxy may have changed it"
    assert "wrong response" in judge.verdict(sent, "PUT", "/mm7", VASPS).why
    whole = credentials(judge._nonces.issue(), uri="http://mms.example/mm7")
    assert "wrong response" in judge.verdict(whole, "POST", "/mm7", VASPS).why, "computed for the short form"


def test_each_algorithm_is_offered_that_somebody_can_use() -> None:
    def offered(vasps: dict[str, Vasp], *algorithms: str) -> list[str]:
        return [one.partition("algorithm=")[2].partition(",")[0] for one in digest(None, algorithms).challenges(vasps)]

    assert offered(VASPS, "SHA-256", "MD5") == ["SHA-256", "MD5"]
    assert offered(VASPS, "MD5") == ["MD5"]
    assert offered({"old": OLD}, "SHA-256", "MD5") == ["MD5"]
    assert offered({"open": Vasp(name="open")}, "SHA-256", "MD5") == []
    nonces = [nonce_of(one) for _ in range(100) for one in digest().challenges(VASPS)]
    assert len(set(nonces)) == 200


def test_a_vasp_with_md5_alone_cannot_use_another() -> None:
    judge = digest()
    nonce = judge._nonces.issue()
    assert judge.verdict(credentials(nonce, vasp=OLD, algorithm="MD5"), "POST", "/mm7", VASPS).vasp is OLD
    assert "no VASP" in judge.verdict(credentials(nonce, vasp=OLD), "POST", "/mm7", VASPS).why
    unnamed = credentials(nonce, 2, vasp=OLD, algorithm="MD5").replace(', algorithm="MD5"', "")
    assert judge.verdict(unnamed, "POST", "/mm7", VASPS).vasp is OLD, "MD5 when none is named"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a=1, B="x, \\"y\\""', {"a": "1", "b": 'x, "y"'}),
        ("a = 1 ,b=", {"a": "1", "b": ""}),
        ("a=1, a=2", None),
        ("a", None),
        ('a="1', None),
        ("a=1 b=2", None),
        ("", {}),
    ],
)
def test_parameters(text: str, found: dict[str, str] | None) -> None:  # RFC 9110 11.2
    assert parameters(text) == found


def test_whatever_comes_is_no_more_than_refused() -> None:
    chance, judge = random.Random(3), digest()
    good = credentials(judge._nonces.issue())
    for _ in range(3000):
        at, end = sorted(chance.randrange(len(good) + 1) for _ in range(2))
        wound = chance.choice(("", '"', "\\", ",", "=", "\udcff", "\u0661", "nc=ffffffff,", "\n", "nonce=,"))
        verdict = judge.verdict(good[:at] + wound + good[end:], "POST", "/mm7", VASPS)
        assert isinstance(verdict, Verdict)
        assert verdict.vasp in (None, NEWS)
