"""The HTTP client over TLS and through a proxy: whom it trusts, what it shows, and what it says when that fails."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from mmsc.net.http_calling import Way
from mmsc.net.http_client import HttpUnavailable
from mmsc.net.tls import TlsOptions
from mmsc.net.tls_words import why_refused
from tests import tls
from tests.tls import calling, told

ROOT = trustme.CA(organization_name="Root of the test")
OTHER = trustme.CA(organization_name="Another root")
LOCAL = ROOT.issue_cert("localhost", "127.0.0.1")


@pytest.fixture
def ca(tmp_path: Path) -> str:
    """The file of the CA that is trusted."""
    return tls.written(tmp_path, "ca.pem", ROOT.cert_pem)


async def test_a_private_ca_is_trusted_and_the_connection_kept(ca: str) -> None:
    async with tls.target_of(tls.server_context(LOCAL)) as target, calling(Way(tls=TlsOptions(ca_file=ca))) as client:
        replies = [await client.send("POST", target.url, headers={}, body=b"") for _ in range(3)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, b"ok")] * 3
    assert (target.connections, target.names) == (1, ["localhost"])


@pytest.mark.parametrize("secure", [True, False])
async def test_a_target_that_hangs_up_without_goodbye_is_asked_once_more(secure: bool, ca: str) -> None:
    """Without close_notify (RFC 8446 6.1), as many do."""
    context = tls.server_context(LOCAL) if secure else None
    async with tls.target_of(context) as target, calling(Way(tls=TlsOptions(ca_file=ca))) as client:
        target.hangs_up = True
        url = target.url if secure else target.url.replace("https", "http")
        replies = [await client.send("POST", url, headers={}) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 200]
    assert (target.connections, len(target.heads)) == (2, 2)


async def test_a_server_name_is_sent_and_looked_for(ca: str) -> None:  # RFC 6066 3
    certificate = ROOT.issue_cert("vasp.example")
    options = TlsOptions(ca_file=ca, server_name="vasp.example")
    async with tls.target_of(tls.server_context(certificate)) as target, calling(Way(tls=options)) as client:
        reply = await client.send("POST", target.url, headers={})
    assert reply.status == 200
    assert target.names == ["vasp.example"]
    assert b"\r\nHost: localhost:" in target.heads[0]


async def test_an_ip_address_is_looked_for_as_one(ca: str) -> None:  # RFC 9525 6.5
    async with tls.target_of(tls.server_context(LOCAL)) as target, calling(Way(tls=TlsOptions(ca_file=ca))) as client:
        assert (await client.send("POST", target.url.replace("localhost", "127.0.0.1"), headers={})).status == 200
        assert target.names == [None], "SNI names hosts, never addresses"
    async with tls.target_of(tls.server_context(ROOT.issue_cert("localhost"))) as target:
        error = await told(target.url.replace("localhost", "127.0.0.1"), Way(tls=TlsOptions(ca_file=ca)))
    assert error.why == "the certificate is for localhost, not for 127.0.0.1"


async def test_intermediates_that_are_sent_lead_to_the_root(ca: str) -> None:
    certificate = ROOT.create_child_ca().issue_cert("localhost")
    async with (
        tls.target_of(tls.server_context(certificate)) as target,
        calling(Way(tls=TlsOptions(ca_file=ca))) as client,
    ):
        assert (await client.send("POST", target.url, headers={})).status == 200


@pytest.mark.parametrize("verify", [True, False])
async def test_the_switch_off_is_explicit(verify: bool) -> None:
    """Without a file, what the system trusts counts."""
    context = tls.server_context(OTHER.issue_cert("elsewhere.example"))
    async with tls.target_of(context) as target, calling(Way(tls=TlsOptions(verify=verify))) as client:
        if not verify:
            assert (await client.send("POST", target.url, headers={})).status == 200
            return
        with pytest.raises(HttpUnavailable, match="is not known here"):
            await client.send("POST", target.url, headers={})


def _expired() -> ssl.SSLContext:
    return tls.server_context(ROOT.issue_cert("localhost", not_before=tls.YEAR_2020, not_after=tls.YEAR_2021))


def _not_yet() -> ssl.SSLContext:
    return tls.server_context(ROOT.issue_cert("localhost", not_before=tls.YEAR_2999))


def _missing_intermediate() -> ssl.SSLContext:
    return tls.server_context(ROOT.create_child_ca().issue_cert("localhost"), chain=False)


def _with_root() -> ssl.SSLContext:
    leaf = OTHER.issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    blobs = [leaf.private_key_pem, *leaf.cert_chain_pems, OTHER.cert_pem]
    with trustme.Blob(b"".join(blob.bytes() for blob in blobs)).tempfile() as name:
        context.load_cert_chain(name)
    return context


def _self_signed() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(OTHER.private_key_pem.bytes() + OTHER.cert_pem.bytes()).tempfile() as name:
        context.load_cert_chain(name)
    return context


def _no_cipher() -> ssl.SSLContext:
    context = tls.server_context(LOCAL)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("PSK")
    return context


FAULTS: dict[str, tuple[Callable[[], ssl.SSLContext | None], str]] = {
    "expired": (_expired, "the certificate of localhost expired on 2021-01-31 12:00:00 UTC"),
    "not yet valid": (_not_yet, "the certificate of localhost is not valid before 2999-01-01 00:00:00 UTC"),
    "wrong name": (
        lambda: tls.server_context(ROOT.issue_cert("a.example", "b.example")),
        "the certificate is for a.example, b.example, not for localhost",
    ),
    "missing intermediate": (
        _missing_intermediate,
        (
            "the certificate of localhost came alone, and trustme v1.2.1, Testing CA #*, who issued it,"
            " is not known here: an intermediate is missing there, or the CA here"
        ),
    ),
    "unknown CA": (
        lambda: tls.server_context(OTHER.create_child_ca().issue_cert("localhost")),
        (
            "the certificate of localhost came with 1 more, and Another root, Testing CA #*, who issued the last,"
            " is not known here: an intermediate is missing there, or the CA here"
        ),
    ),
    "unknown CA that is sent": (
        _with_root,
        "the certificate of localhost leads to the CA Another root, Testing CA #*, which is not trusted here",
    ),
    "self-signed": (
        _self_signed,
        "the certificate of localhost is signed by itself, and not one that is trusted here",
    ),
    "old version": (
        lambda: tls.of_old_version(LOCAL),
        "localhost speaks no TLS version from 1.2 on",
    ),
    "nothing in common": (
        _no_cipher,
        "localhost refuses the TLS handshake: nothing in common, or it wants a client certificate",
    ),
    "no TLS": (lambda: None, "localhost does not speak TLS there"),
}


async def _bad_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a server without TLS says to a handshake."""
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    writer.close()


def _fits(why: str, wanted: str) -> bool:
    """`*` is the random name that trustme gives."""
    first, star, rest = wanted.partition("*")
    return why.startswith(first) and why.endswith(rest) and (bool(star) or why == wanted)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_tls_is_told_in_words_and_nothing_was_sent(fault: str, ca: str) -> None:
    context, wanted = FAULTS[fault]

    if fault == "no TLS":
        async with tls.serving(_bad_request) as port:
            error = await told(f"https://localhost:{port}/", Way(tls=TlsOptions(ca_file=ca)))
        assert (error.why, error.connected) == (wanted, False)
        return
    async with tls.target_of(context()) as target:
        error = await told(target.url, Way(tls=TlsOptions(ca_file=ca)))
    assert _fits(error.why, wanted), error.why
    assert not error.connected, "the neighbour counts as down"
    assert target.heads == []


async def test_a_ca_that_expired_is_named(tmp_path: Path) -> None:
    """Where an intermediate is what expired, its owner's certificate is fine."""
    leaf = {"subject": (), "notAfter": "Jan  1 00:00:00 2999 GMT", "notBefore": "Jan  1 00:00:00 2020 GMT"}
    middle = {**leaf, "subject": ((("commonName", "Issuing\nCA 3"),),), "notAfter": "Jan  1 00:00:00 2021 GMT"}
    error = ssl.SSLCertVerificationError()
    error.verify_code = 10
    error.chain = [leaf, middle]  # type: ignore[attr-defined]
    said = why_refused(error, "h", name="h", minimum_version="1.2", shows_certificate=False)
    assert said == "the certificate of the CA Issuing?CA 3 in the chain of h expired on 2021-01-01 00:00:00 UTC"


async def test_a_higher_minimum_is_kept_to(ca: str) -> None:
    context = tls.server_context(LOCAL)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with tls.target_of(context) as target:
        error = await told(target.url, Way(tls=TlsOptions(ca_file=ca, minimum_version="1.3")))
    assert error.why == "localhost speaks no TLS version from 1.3 on"


async def test_a_target_that_goes_or_is_silent_in_the_handshake_is_told(ca: str) -> None:
    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    way = Way(tls=TlsOptions(ca_file=ca))
    async with tls.serving(gone) as port:
        error = await told(f"https://localhost:{port}/", way)
        assert error.why == "localhost closed the connection during the TLS handshake"
    async with tls.serving(silent) as port:
        error = await told(f"https://localhost:{port}/", way, connect_seconds=0.2)
        assert error.why == f"cannot connect in time: the TLS handshake with localhost:{port} does not end"
    assert not error.connected


# --- our certificate ---


def _asking(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = tls.server_context(LOCAL)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    ROOT.configure_trust(context)
    return context


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("apart", [True, False])
async def test_a_client_certificate_is_shown(version: ssl.TLSVersion, apart: bool, ca: str, tmp_path: Path) -> None:
    ours = ROOT.issue_cert("mmsc.example")
    key = tls.written(tmp_path, "key.pem", ours.private_key_pem)
    one = tls.written(tmp_path, "one.pem", *ours.cert_chain_pems, *([] if apart else [ours.private_key_pem]))
    options = TlsOptions(ca_file=ca, certificate_file=one, key_file=key if apart else "")
    async with tls.target_of(_asking(version)) as target, calling(Way(tls=options)) as client:
        assert (await client.send("POST", target.url, headers={})).status == 200
    assert "mmsc.example" in str(target.certificates[0])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("shown", ["", "unknown CA", "expired"])
async def test_a_refused_client_certificate_is_told(
    version: ssl.TLSVersion, shown: str, ca: str, tmp_path: Path
) -> None:
    """In TLS 1.3 the refusal comes after the handshake, and what was sent before was not read (RFC 8446 4.4.2.4)."""
    ours = OTHER.issue_cert("m.example")
    if shown == "expired":
        ours = ROOT.issue_cert("m.example", not_before=tls.YEAR_2020, not_after=tls.YEAR_2021)
    name = tls.written(tmp_path, "ours.pem", ours.private_key_and_cert_chain_pem) if shown else ""
    async with tls.target_of(_asking(version)) as target:
        error = await told(target.url, Way(tls=TlsOptions(ca_file=ca, certificate_file=name)))
    wanted = {
        "unknown CA": "localhost refuses our client certificate: it is signed by a CA unknown there",
        "expired": "localhost refuses our client certificate: it has expired",
        "": "localhost asks for a client certificate"
        if version is ssl.TLSVersion.TLSv1_3
        else "localhost refuses the TLS handshake: nothing in common, or it wants a client certificate",
    }
    assert error.why == wanted[shown]
    assert not error.connected


async def test_files_that_cannot_be_used_are_told_and_read_again_when_repaired(ca: str, tmp_path: Path) -> None:
    ours = ROOT.issue_cert("mmsc.example")
    name = str(tmp_path / "later.pem")
    options = TlsOptions(ca_file=ca, certificate_file=name)
    async with tls.target_of(_asking(ssl.TLSVersion.TLSv1_3)) as target, calling(Way(tls=options)) as client:
        with pytest.raises(HttpUnavailable, match=r"tls_certificate_file .*later.pem: No such file") as caught:
            await client.send("POST", target.url, headers={})
        assert not caught.value.connected
        tls.written(tmp_path, "later.pem", OTHER.issue_cert("x.example").private_key_and_cert_chain_pem)
        with pytest.raises(HttpUnavailable, match="signed by a CA unknown there"):
            await client.send("POST", target.url, headers={})
        tls.written(tmp_path, "later.pem", ours.private_key_and_cert_chain_pem)
        assert (await client.send("POST", target.url, headers={})).status == 200


async def test_what_is_wrong_with_a_file_is_told(ca: str, tmp_path: Path) -> None:
    one, other = ROOT.issue_cert("a.example"), ROOT.issue_cert("b.example")
    chain = tls.written(tmp_path, "chain.pem", *one.cert_chain_pems)
    theirs = tls.written(tmp_path, "theirs.pem", other.private_key_pem)
    locked = tmp_path / "locked.pem"
    encryption = serialization.BestAvailableEncryption(b"secret")
    loaded = serialization.load_pem_private_key(one.private_key_pem.bytes(), None)
    locked.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    (tmp_path / "text.pem").write_text("hello")
    wrong = {
        "they do not belong together": TlsOptions(certificate_file=chain, key_file=theirs),
        "the key is encrypted": TlsOptions(certificate_file=chain, key_file=str(locked)),
        "with its key": TlsOptions(certificate_file=chain),
        "holds no certificate in PEM": TlsOptions(ca_file=str(tmp_path / "text.pem")),
        "tls_ca_file ~nobody-of-this-name/ca.pem: No such file": TlsOptions(ca_file="~nobody-of-this-name/ca.pem"),
        "tls_ca_file /none: No such file": TlsOptions(ca_file="/none"),
    }
    for why, options in wrong.items():
        error = await told("https://localhost:1/", Way(tls=options))
        assert why in error.why, error.why
        assert not error.connected
