"""Where a request comes from behind reverse proxies (RFC 7239, X-Forwarded-For, RFC 9440): nothing is believed that a
client could have written itself."""

import base64
import hashlib
from urllib.parse import quote

import pytest
import trustme
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.net.forwarded import Proxies, forwarded_for, lies_in, told_certificate
from mmsc.net.http import HttpRequest
from mmsc.net.tls_server import ClientCertificate

OURS = ("10.0.0.0/8", "2001:db8::/32")
OWN = ClientCertificate(common_names=("proxy",))


def request(remote: str, *headers: tuple[str, str], certificate: ClientCertificate | None = None) -> HttpRequest:
    named = CIMultiDictProxy(CIMultiDict(headers))
    return HttpRequest("POST", "/", "", named, b"", remote, 1, certificate)


@pytest.mark.parametrize(
    ("remote", "lines", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # no proxy of ours
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the first one is what the client wrote
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),  # two lines, two proxies
        ("10.0.0.1", ["10.9.9.9, 10.0.0.2"], "10.9.9.9"),  # all of them ours: the one behind them all
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.0.0.1", ["[2001:db9::7]:4711"], "2001:db9::7"),
        ("10.0.0.1", ["198.51.100.7, unknown"], ""),
        ("10.0.0.1", ["198.51.100.7, <script>"], ""),
        ("10.0.0.1", [",,198.51.100.7,, "], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7" + ", 10.0.0.2" * 40], ""),
        ("10.0.0.1", ["\udcff\u0661"], ""),
    ],
)
def test_the_rightmost_hop_that_is_none_of_ours_is_the_client(remote: str, lines: list[str], client: str) -> None:
    asked = request(remote, *[("X-Forwarded-For", line) for line in lines], ("Forwarded", "for=203.0.113.99"))
    assert Proxies(OURS).source(asked).address == client


@pytest.mark.parametrize(
    ("lines", "hops"),
    [
        (["for=192.0.2.60;proto=http;by=203.0.113.43"], ["192.0.2.60"]),
        (['For="[2001:db8:cafe::17]:4711"'], ["[2001:db8:cafe::17]:4711"]),
        (["for=192.0.2.43, for=198.51.100.17"], ["192.0.2.43", "198.51.100.17"]),
        (["proto=https; for = unknown", "by=_x"], ["unknown", ""]),
        (['for="_a\\"b"'], ['_a"b']),
        (["xfor=1"], [""]),
    ],
)
def test_forwarded_is_read_element_by_element(lines: list[str], hops: list[str]) -> None:  # RFC 7239 4
    assert forwarded_for(lines) == hops


def test_only_the_header_of_the_settings_counts() -> None:
    both = (("X-Forwarded-For", "198.51.100.7"), ("Forwarded", 'for="[2001:db9::7]"'))
    assert Proxies(OURS, header="Forwarded").source(request("10.0.0.1", *both)).address == "2001:db9::7"
    assert Proxies(OURS).source(request("10.0.0.1", *both)).address == "198.51.100.7"


@pytest.mark.parametrize(("address", "inside"), [("10.1.2.3", True), ("", False), ("x", False), ("11.0.0.1", False)])
def test_networks(address: str, inside: bool) -> None:
    assert lies_in(address, ("10.0.0.0/8", "192.0.2.1")) is inside


def test_a_certificate_is_believed_from_our_proxies_alone() -> None:
    header = ("X-Client", "AB" * 32)
    believing = Proxies(OURS, certificate_header="X-Client")
    shown = believing.source(request("10.0.0.1", header, certificate=OWN)).certificate
    assert shown == ClientCertificate(sha256="ab" * 32)
    assert believing.source(request("192.0.2.1", header)).certificate is None
    assert believing.source(request("192.0.2.1", header, certificate=OWN)).certificate == OWN
    assert believing.source(request("10.0.0.1", header, header)).certificate is None, "one of two may be the client's"
    assert Proxies(OURS).source(request("10.0.0.1", header, certificate=OWN)).certificate is None, "that is the proxy"


def test_a_certificate_in_each_spelling_of_proxies() -> None:
    pem = trustme.CA().issue_cert("vasp.example").cert_chain_pems[0].bytes().decode()
    der = base64.b64decode("".join(pem.split("-----")[2].split()))
    digest = hashlib.sha256(der).hexdigest()
    for text in (f":{base64.b64encode(der).decode()}:", quote(pem), pem.replace("\n", " ")):
        found = told_certificate(text)
        assert found is not None
        assert (found.sha256, found.sha1) == (digest, hashlib.sha1(der).hexdigest())
    assert told_certificate(":".join(["ab"] * 20)) == ClientCertificate(sha1="ab" * 20)


@pytest.mark.parametrize("text", ["", "::", ":!:", "-----BEGIN CERTIFICATE-----", "zz" * 32, "ab", "(null)", "\udcff"])
def test_what_is_no_certificate_names_nobody(text: str) -> None:
    found = told_certificate(text)
    assert found is None or not found.is_named("SHA256=")
