"""The settings: strict, named, and explained in one file that is the manual."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from mmsc.settings import Settings, SettingsError, bare, changes, load, remarks, state_folder, store_path
from mmsc.settings.base import Section, is_live
from mmsc.settings.neighbours import Peer, Subscriber
from mmsc.settings.profiles import Mm7Profile

MANUAL = Path(__file__).parents[2] / "config" / "mmsc.toml"

HASH = f"scrypt$00${'0' * 64}"


def written(folder: Path, text: str) -> Path:
    path = folder / "mmsc.toml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(written(folder, text), environment)
    return str(caught.value)


def test_the_manual_is_the_bare_start_key_by_key() -> None:
    assert load(MANUAL, {}) == bare() == load(None, {})


def _sections(section: type[Section], where: str) -> list[tuple[str, type[Section]]]:
    found = [(where, section)]
    for field in msgspec.structs.fields(section):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            found += _sections(field.type, f"{where}.{field.name}".strip("."))
    return found


NEIGHBOURS = {"vasp.demo": "vasp", "smsc.builtin": "smsc", 'subscriber."+15550000001"': "subscriber"}


def _documented() -> dict[str, dict[str, str]]:
    """Table -> key -> the comment above it."""
    tables: dict[str, dict[str, str]] = {}
    here, comment = "", ""
    lines = MANUAL.read_text().splitlines()
    peer = lines.index("# [peer.other]")
    for line in lines[:peer] + [text.removeprefix("# ") for text in lines[peer:]]:
        if table := re.fullmatch(r"\[(.+)\]", line):
            here = table[1]
        elif key := re.match(r"([a-z0-9_]+) = ", line):
            tables.setdefault(here, {})[key[1]] = comment
        comment = line if line.startswith("#") else ""
    return tables


def test_every_key_is_in_the_manual_with_a_comment_and_says_when_it_applies() -> None:
    documented = _documented()
    sections = _sections(Settings, "")
    sections += [("vasp.demo", type(bare().vasp["demo"])), ("smsc.builtin", type(bare().smsc["builtin"]))]
    sections += [('subscriber."+15550000001"', Subscriber), ("peer.other", Peer)]
    sections += [("mm7_profile.mine", Mm7Profile)]
    for where, section in sections:
        for field in msgspec.structs.fields(section):
            if (isinstance(field.type, type) and issubclass(field.type, Section)) or where == "":
                continue
            comment = documented[where].get(field.name)
            assert comment, f"{where}.{field.name} has no comment in {MANUAL.name}"
            if where not in NEIGHBOURS and where not in ("peer.other", "mm7_profile.mine"):
                assert comment.startswith("# (live)") == is_live(field.type), f"{where}.{field.name}: {comment}"


def test_an_unknown_key_is_told_with_file_path_and_nearest_known(tmp_path: Path) -> None:
    said = refused(tmp_path, "[mm7]\nprot = 1\n")
    assert "mmsc.toml: mm7.prot is no key; the nearest is mm7.port" in said


def test_an_unknown_table_and_a_key_like_no_other_are_told(tmp_path: Path) -> None:
    said = refused(tmp_path, "[mm8]\nport = 1\n[log]\nzzzz = 1\n")
    assert "mm8 is no key; the nearest is mm1" in said or "the nearest is mm" in said
    assert "log.zzzz is no key; known here: events, format, level" in said


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        "[mm7]\nport = 'x'\n[mm1]\nport = 70000\n"
        "[vasp.a]\nerrors = 'maybe'\nrewrites = [{prefix = '0'}]\n[peer.b]\nhost = 'h'\n",
    )
    lines = said.splitlines()
    assert len(lines) == 5
    assert any("mm7.port = 'x': Expected `int`, got `str`" in line for line in lines)
    assert any("mm1.port = 70000: Expected `int` <= 65535" in line for line in lines)
    assert any("vasp.a.errors = 'maybe': Expected one of \"\", auto, rsp, fault" in line for line in lines)
    assert any("vasp.a.rewrites[0]" in line and "becomes" in line for line in lines)
    assert any("peer.b.domain is missing" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mm7 = 3", "mm7 is a table, not 3"),
        ("vasp = 3", "vasp holds tables [vasp.NAME], not 3"),
        ("mm7 =", "not TOML"),
        (
            "[vasp.a]\nrewrites = [{prefx='0'}]",
            "vasp.a.rewrites[0].prefx is no key; the nearest is vasp.a.rewrites[0].prefix",
        ),
        ("[vasp.a]\nrewrites = [3]", "vasp.a.rewrites[0] is a table, not 3"),
        ("[vasp.a]\nrewrites = 3", "vasp.a.rewrites = 3: Expected `array`"),
        ("[vasp.a]\nreport_url = 'ftp://h'", "vasp.a.report_url = 'ftp://h': Expected http://HOST or https://HOST"),
        ("[vasp.a]\nproxy_url = 'https://h'", "vasp.a.proxy_url = 'https://h': Expected http://HOST:PORT or direct"),
        (
            "[vasp.a]\nproxy_url = 'http://u:p@h:1/x'",
            "vasp.a.proxy_url = 'http://***@h:1/x': Expected http://HOST:PORT",
        ),
        ("[vasp.a]\nproxy_url = 'http://h:x'", "vasp.a.proxy_url: Port could not be cast"),
        ("[delivery.vasp]\nproxy_url = 'http://[h'", "delivery.vasp.proxy_url: Invalid IPv6 URL"),
        ("[vasp.a]\ntls_minimum_version = '1.1'", "vasp.a.tls_minimum_version = '1.1': Expected one of 1.2, 1.3"),
        ("[vasp.a]\ntls_key_file = 'k'", "vasp.a has a tls_key_file and no tls_certificate_file"),
        ("[vasp.a]\ntls_ca_file = 'k'\ntls_verify = false", "vasp.a has a tls_ca_file, and tls_verify = false"),
        ("[vasp.a]\nfault_http_status = 201", "vasp.a.fault_http_status = 201: Expected one of 0, 200, 400, 500"),
        ("[numbers]\nown_prefixes = ['+1', '1']", "numbers.own_prefixes[1] = '1': Expected + and digits"),
        ("[node]\nname = 'a b'", "node.name = 'a b': Expected letters, digits, dots, hyphens and underscores"),
        ("[limits]\ndefault_validity_hours = 1000", "limits.default_validity_hours is above"),
        ("[fallback]\ntemplate = 'look'", "no {url}"),
        (f"[vasp.a]\nusername = 'u'\npassword = 'p'\npassword_hash = '{HASH}'", "both password and password_hash"),
        (
            "[vasp.a]\nusername = 'u'\npassword_hash = 'h'",
            "vasp.a.password_hash = (not shown): Expected scrypt$SALT$HASH",
        ),
        ("[store]\nschema = 'a b'", "store.schema = 'a b': Expected small letters, digits and underscores"),
        ("[numbers]\ncountry_code = '+49'", "numbers.country_code = '+49': Expected one to three digits, no 0 first"),
        ("[numbers]\ninternational_prefixes = ['+']", "numbers.international_prefixes[0] = '+': Expected digits"),
        ('[node]\nname = "a\\n"', "node.name = 'a\\n': Expected letters, digits"),
        ("[node]\ndomain = ''", "node.domain = '': Expected a domain name"),
        ("[node]\ndomain = 'a..b'", "node.domain = 'a..b': Expected a domain name"),
        ("[mm7]\nhost = ''", "mm7.host = '': Expected a host name or an IP address"),
        ("[mm7]\nhost = '[::1]'", "mm7.host = '[::1]': Expected a host name or an IP address"),
        ("[builtin_smsc]\nhost = ' '", "builtin_smsc.host = ' ': Expected a host name or an IP address"),
        ("[smsc.a]\nhost = ''", "smsc.a.host = '': Expected a host name or an IP address"),
        ("[peer.a]\ndomain = ''\nhost = 'h'", "peer.a.domain = '': Expected a domain name"),
        ("[peer.a]\ndomain = 'd'\nhost = ''", "peer.a.host = '': Expected a host name or an IP address"),
        ('[mm4]\nhostname = "a\\r\\nb"', "mm4.hostname = 'a\\r\\nb': Expected a domain name or an [ADDRESS]"),
        ('[mm7]\nrealm = "a\\r\\nb"', "mm7.realm = 'a\\r\\nb': Expected one line of ASCII without quotation marks"),
        ("[mm7]\nrealm = 'a\"b'", "mm7.realm = 'a\"b': Expected one line of ASCII without quotation marks"),
        (
            "[peer.a]\ndomain = 'd'\nhost = 'h'\nmm4_version = \"6\\nX: y\"",
            "mm4_version = '6\\nX: y': Expected one line",
        ),
        ('[vasp.a]\nvasp_id = "\\u0000"', "vasp.a.vasp_id = '\\x00': Expected one line without control characters"),
        ("[smsc.a]\nsystem_id = '☎'", "smsc.a.system_id = '☎': Expected one line of ASCII or Latin-1"),
        (
            "[smsc.a]\nsource = '123456789012345678901'",
            "smsc.a.source = '123456789012345678901': Expected `str` of length <= 20",
        ),
        ("[vasp.'a b']", 'vasp."a b": a name has letters, digits, dots, hyphens and underscores'),
        ('[vasp."a\\nb"]', 'vasp."a\\nb": a name has letters'),
        (
            "[subscriber.'+15550000001']\nip = 'x'",
            "subscriber.\"+15550000001\".ip: 'x' is neither an IP address nor a network",
        ),
        ("[vasp.a]\npassword = 'p'", "a password and no username"),
        ("[numbers]\ndefault_peer = 'x'", "numbers.default_peer = 'x', but no such table"),
        ("[vasp.a]\nshort_codes = ['77']\n[vasp.b]\nshort_codes = ['77']", "vasp.b and vasp.a both claim 77"),
        ("[mm1]\nport = 9\n[mm7]\nport = 9", "mm7.port and mm1.port are both 9"),
        ("[mm1]\nport = 8807\nhost = '0.0.0.0'", "mm7.port and mm1.port are both 8807 on 127.0.0.1 and 0.0.0.0"),
        ("[mm1]\nport = 8807\nhost = 'localhost'", "mm7.port and mm1.port are both 8807 on 127.0.0.1 and localhost"),
        ("[vasp.a]\nreport_url = 'http://127.0.0.1:99999/'", "vasp.a.report_url: Port out"),
        ("[mm1]\npublic_url = 'http://[::1/'", "mm1.public_url: Invalid IPv6 URL"),
        ("[store]\npath = '~nobody-of-that-name/x'", "store.path = '~nobody-of-that-name/x': there is no such home"),
        ("[limits]\nmaximum_validity_hours = inf", "limits.maximum_validity_hours = inf: "),
        ("[limits]\nmaximum_validity_hours = 1e300", "limits.maximum_validity_hours = 1e+300: "),
        ("[fallback]\ntemplate = '{url} {name}'", "only {url}, {sender} and {subject} may stand in braces"),
        ("[fallback]\ntemplate = '{url} {'", "only {url}, {sender} and {subject} may stand in braces"),
        ("[mm1]\nidentity_gateways = ['here']", "'here' is neither an IP address"),
        ("[mm7]\ntrusted_proxies = ['here']", "mm7.trusted_proxies: 'here' is neither"),
        ("[mm7]\nproxy_certificate_header = 'X-Y'", "believed only from mm7.trusted_proxies, and there are none"),
        ("[mm7]\nproxy_certificate_header = 'X Y'", "Expected the name of an HTTP header"),
        ("[mm7]\ndigest_algorithms = []", "mm7.digest_algorithms = []: Expected `array` of length >= 1"),
        ("[mm7]\ndigest_algorithms = ['SHA']", "mm7.digest_algorithms[0] = 'SHA': "),
        ("[mm7.tls]\nkey = 'k'", "mm7.tls.certificate is missing"),
        ("[mm7.tls]\ncertificate = 'c'\nclient_certificate = 'required'", "needs mm7.tls.client_ca"),
        ("[mm7.tls]\nminimum_version = '1.0'", "mm7.tls.minimum_version = '1.0': Expected one of 1.2, 1.3"),
        ("[vasp.a]\nnetworks = ['10.0.0.0/99']", "vasp.a.networks: '10.0.0.0/99' is neither"),
        ("[vasp.a]\nclient_certificates = ['CN=a']", "no certificate can be shown without mm7.tls.client_ca"),
        ("[vasp.a]\nclient_certificates = ['a']", "client_certificates[0] = 'a': Expected CN=NAME, SAN=NAME, SHA256="),
        ("[vasp.a]\nclient_certificates = ['SHA1=00']", "Expected CN=NAME, SAN=NAME, SHA256=DIGEST or SHA1=DIGEST"),
        (
            "[mm7.tls]\ncertificate = 'c'\nclient_ca = 'c'\n"
            + "".join(f"[vasp.{name}]\nclient_certificates = ['CN=a']\n" for name in "ab"),
            "vasp.b and vasp.a both claim cn=a",
        ),
        (
            "[vasp.a]\nsenders = ['+1*5']",
            "senders[0] = '+1*5': Expected an address, or how it begins and a * at the end",
        ),
        ("[vasp.a]\ncontent_types = ['image']", "content_types[0] = 'image': Expected TYPE/SUBTYPE or TYPE/*"),
        ("[vasp.a]\nburst = 3", "vasp.a.burst means nothing without messages_per_second"),
        ("[vasp.a]\ncredits = -2", "vasp.a.credits = -2: Expected `int` >= -1"),
        ("[vasp.a]\nover_rate = 503", "vasp.a.over_rate = 503: "),
        ("[vasp.a]\nusername = 'a'\nauthentication = 'digest'", "needs password, ha1_md5 or ha1_sha256"),
        (f"[vasp.a]\nusername = 'a'\nha1_md5 = '{'0' * 32}'", "with authentication = 'basic'"),
        ("[vasp.a]\nusername = 'a'\nha1_md5 = 'x'", "vasp.a.ha1_md5 = (not shown): Expected 32 hexadecimal digits"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, why: str) -> None:
    assert why in refused(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "[smsc.a]\npassword = 'hidden-and-long'",
        "[smsc.a]\npassword = ['hidden']",
        "[vasp.a]\npassword = {is = 'hidden'}",
        "[vasp.a]\nusername = 'u'\npassword_hash = 'hidden'",
        "[store]\npostgres = ['postgresql://u:hidden@h/d']",
        "[vasp.a]\nreport_url = 'ftp://u:hidden@h/'",
        "[vasp.a]\nreport_url = 'http://u:hidden@h:99999/'",
        "[vasp.a]\npassword = 'hidden'",
        "[vasp.a]\nusername = 'u'\npassword = 'hidden",
    ],
)
def test_no_secret_is_shown_however_wrong_it_is(tmp_path: Path, text: str) -> None:
    assert "hidden" not in refused(tmp_path, text)


def test_nor_is_one_from_the_environment(tmp_path: Path) -> None:
    said = refused(tmp_path, "", MMSC_STORE__POSTGRES="['hidden'", MMSC_STORE__POSTGRESS="hidden")
    assert "hidden" not in said


def test_an_address_literal_may_greet(tmp_path: Path) -> None:
    assert load(written(tmp_path, "[mm4]\nhostname = '[127.0.0.1]'\n"), {}).mm4.hostname == "[127.0.0.1]"


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.toml", {})
    (tmp_path / "octets.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8 at octet 0"):
        load(tmp_path / "octets.toml", {})


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[mm7]\nport = 1\n")
    settings = load(
        path,
        {
            "MMSC_MM7__PORT": "2",
            "MMSC_STORE__PATH": "/tmp/x.db",
            "MMSC_NODE__NAME": "42",
            "MMSC_MM4__RESEND_AFTER_SECONDS": "[1, 2]",
            "MMSC_DELIVERY__VASP__LIFETIME_HOURS": "7",
            "MMSC_CONFIG": "ignored",
        },
    )
    assert settings.mm7.port == 2
    assert settings.store.path == "/tmp/x.db"
    assert settings.node.name == "42"
    assert settings.mm4.resend_after_seconds == (1.0, 2.0)
    assert settings.delivery.vasp.lifetime_hours == 7


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("MMSC_MM7__PROT", "MMSC_MM7__PROT in the environment: mm7.prot is no key; the nearest is mm7.port"),
        ("MMSC_NODE__NUMBER", "MMSC_NODE__NUMBER in the environment: node.number = 'x': Expected `int`"),
        ("MMSC_DELIVERY__VASP__TIMEOUT_SECONDS", "delivery.vasp.timeout_seconds = 'x': Expected `float`"),
        ("MMSC_MM7", "mm7 is a table; name a key of it"),
        ("MMSC_VASP__A", "cannot be set here, only in the file"),
        ("MMSC_MM7__PORT", "MMSC_MM7__PORT in the environment: mm7.port = 'x': Expected `int`"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(tmp_path: Path, name: str, why: str) -> None:
    assert why in refused(tmp_path, "", **{name: "x"})


def test_a_number_beyond_its_bounds_is_told_its_bounds(tmp_path: Path) -> None:
    assert "mm7.port = 70000: Expected `int` <= 65535" in refused(tmp_path, "", MMSC_MM7__PORT="70000")


def test_a_contradiction_names_the_variable_that_may_have_made_it(tmp_path: Path) -> None:
    said = refused(tmp_path, "[mm1]\nport = 9\n", MMSC_MM7__PORT="9")
    assert "mmsc.toml and MMSC_MM7__PORT: mm7.port and mm1.port are both 9" in said


def test_changes_are_told_apart_by_what_a_running_server_can_take() -> None:
    old = bare()
    new = msgspec.structs.replace(
        old,
        mm7=msgspec.structs.replace(old.mm7, port=1),
        limits=msgspec.structs.replace(old.limits, maximum_parts=3),
        subscriber={},
    )
    live, restart = changes(old, new)
    assert restart == ("mm7.port",)
    assert "limits.maximum_parts" in live
    assert 'subscriber."+15550000001"' in live
    assert changes(old, old) == ((), ())


def test_advice_names_what_is_probably_not_meant(tmp_path: Path) -> None:
    text = "[vasp.a]\nreport_url = 'http://vasp.example/'\n[mm7]\nhost = '0.0.0.0'\n"
    text += "[peer.b]\ndomain='b.example'\nhost='b'\n"
    said = "\n".join(remarks(load(written(tmp_path, text), {})))
    assert "mm1.public_url: neighbours off this host would be told http://127.0.0.1:8801" in said
    assert "mm7.host: 0.0.0.0 is reachable from outside" in said
    assert "vasp.a has no username" in said
    assert "peer.b has no prefixes" in said
    assert "no smsc" in said


def test_tls_that_is_probably_not_meant_is_remarked(tmp_path: Path) -> None:
    (tmp_path / "here.pem").write_text("")
    text = f"[vasp.a]\nreport_url = 'https://v/'\ntls_ca_file = '{tmp_path}/here.pem'\n"
    text += "tls_certificate_file = '/none.pem'\n"
    text += "[vasp.b]\nreport_url = 'http://v/'\ntls_server_name = 'v'\n"
    text += "[vasp.c]\nreport_url = 'https://v/'\ntls_verify = false\n"
    said = [one for one in remarks(load(written(tmp_path, text), {})) if "tls" in one]
    assert said == [
        "vasp.a.tls_certificate_file = '/none.pem': there is no such file; what is for it waits",
        "vasp.b.tls_server_name is for https addresses, and it has none",
        "vasp.c.tls_verify is off: anybody on the way can read and answer what it is sent",
    ]


def test_the_bare_start_needs_no_advice() -> None:
    assert list(remarks(bare())) == []


def test_state_is_kept_in_the_users_state_folder(tmp_path: Path) -> None:
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "mmsc"
    assert state_folder({}) == Path.home() / ".local" / "state" / "mmsc"
    given = msgspec.structs.replace(bare(), store=msgspec.structs.replace(bare().store, path="/tmp/a.db"))
    assert store_path(given) == Path("/tmp/a.db")


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        bare().node.name = "other"  # type: ignore[misc]
    assert tomllib.loads(MANUAL.read_text())["node"]["name"] == "mmsc"


def test_every_key_is_read_by_somebody() -> None:
    folder = Path(__file__).parents[2] / "mmsc"
    readers = [path for path in folder.rglob("*.py") if path.parent.name != "settings" or path.name == "bare.py"]
    text = "\n".join(path.read_text() for path in readers)
    for where, section in _sections(Settings, ""):
        for field in msgspec.structs.fields(section):
            assert re.search(rf"\.{field.name}\b", text), f"nothing reads {where}.{field.name}"


def test_retention_that_is_shorter_than_what_it_must_keep_is_remarked(tmp_path: Path) -> None:
    text = "[retention]\nbody_hours = 30\nmessage_hours = 12\n"
    said = "\n".join(remarks(load(written(tmp_path, text), {})))
    assert "bodies go with their MMs" in said
    assert "MMs are kept for that window" in said
    for_ever = written(tmp_path, "[retention]\nbody_hours = 0\nmessage_hours = 0\nmaximum_octets = 0\n")
    assert not any(one.startswith("retention.") for one in remarks(load(for_ever, {})))


def test_what_is_odd_about_vasps_on_eaif_is_remarked(tmp_path: Path) -> None:
    text = "[vasp.a]\ninterface = 'eaif'\nvasp_id = 'x'\nnamespace = 'y'\n[vasp.b]\ninterface = 'eaif'\n"
    said = list(remarks(load(written(tmp_path, text), {})))
    assert "vasp.a speaks EAIF: vasp_id, namespace would mean something to MM7 alone" in said
    assert "vasp.b and vasp.a speak EAIF without a username: requests count as those of a" in said
    assert not any("EAIF" in one for one in remarks(load(written(tmp_path, text.replace("eaif", "mm7")), {})))
    wrong = "[vasp.a]\ninterface = 'eaif'\neaif_version = '3'\neaif_asynch_reply_to = 'http://h:99999/'\n"
    assert "vasp.a.eaif_version = '3': Expected a version like 3.0" in refused(tmp_path, wrong)
    assert "vasp.a.eaif_asynch_reply_to: " in refused(tmp_path, wrong.replace("'3'", "'3.0'"))
