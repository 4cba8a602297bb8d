"""HTTP Digest against the examples of its standards."""

import pytest

from mmsc.net.http_digest import Challenge, Login, answer, basic, challenge_of, schemes

# RFC 7616 3.9.1
REALM = 'realm="http-auth@example.org", qop="auth, auth-int", '
NONCES = 'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
MUFASA = Login(username="Mufasa", password="Circle of Life", method="GET", target="/dir/index.html")


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    challenge = challenge_of([f"Digest {REALM}algorithm={algorithm}, {NONCES}"])
    assert challenge is not None
    told = answer(challenge, MUFASA, CNONCE)
    assert f'response="{response}"' in told
    assert f"algorithm={algorithm}, " in told
    assert "qop=auth, nc=00000001, " in told


def test_the_example_of_rfc_7616_with_a_hashed_user_name() -> None:
    """RFC 7616 3.9.2; its response is an erratum, its hashed user name is not."""
    told = 'realm="api@example.org", qop="auth", algorithm=SHA-512-256, charset=UTF-8, userhash=true'
    challenge = challenge_of([f'Digest {told}, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"'])
    assert challenge is not None
    login = Login(username="Jäsøn Doe", password="Secret, or not?", method="GET", target="/doe.json")
    written = answer(challenge, login, "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm")
    assert 'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"' in written
    assert written.endswith("userhash=true")


def test_the_example_of_rfc_2617_and_the_older_form() -> None:
    nonce = 'realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    opaque = 'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    login = Login(username="Mufasa", password="Circle Of Life", method="GET", target="/dir/index.html")
    newer = challenge_of([f'Digest {nonce}qop="auth,auth-int", {opaque}'])
    older = challenge_of([f"Digest {nonce}{opaque}"])
    assert newer is not None
    assert older is not None
    assert 'response="6629fae49393a05397450978507c4ef1"' in answer(newer, login, "0a4f113b")
    told = answer(older, login, "0a4f113b")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in told  # RFC 2069 2.4 as corrected
    assert "cnonce" not in told


def test_the_strongest_of_several_is_answered_wherever_it_stands() -> None:
    headers = [
        f'Negotiate, Basic realm="a, Digest b", Digest {REALM}algorithm=MD5, {NONCES}',
        f"Digest {REALM}algorithm=SHA-256-sess, {NONCES}",
        f"Digest {REALM}algorithm=SHA-3, {NONCES}",
    ]
    assert schemes(headers) == ("basic", "digest")
    challenge = challenge_of(headers)
    assert challenge is not None
    assert (challenge.algorithm, challenge.session) == ("SHA-256", True)
    assert "algorithm=SHA-256-sess" in answer(challenge, MUFASA, CNONCE)


@pytest.mark.parametrize(
    "header", ["", "Negotiate", 'Basic realm="x"', 'Digest realm="x"', 'Digest nonce="x", qop="token"', ",,=,"]
)
def test_what_cannot_be_answered_is_no_challenge(header: str) -> None:
    assert challenge_of([header]) is None


def test_integrity_protects_the_body_and_quotes_are_kept() -> None:
    challenge = Challenge(realm='a "b"', nonce="n", qop="auth-int")
    first, second = (
        answer(challenge, Login(username="u", password="p", method="POST", target="/", body=body), "c")
        for body in (b"one", b"two")
    )
    assert first != second
    assert r'realm="a \"b\""' in first


def test_basic_is_utf_8() -> None:
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 7617 2
    assert basic("test", "123£") == "Basic dGVzdDoxMjPCow=="  # RFC 7617 2.1
