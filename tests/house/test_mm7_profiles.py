"""Dialect profiles in the settings: chains, and what cannot be meant."""

from pathlib import Path

import msgspec
import pytest

from mmsc.configured_profiles import dialect_of
from mmsc.domain.mm7_profile import Mm7Profile as Profile
from mmsc.settings import Settings, SettingsError, changes, load
from mmsc.settings import neighbours as given
from mmsc.settings.profiles import Mm7Profile, ready, values_of


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "mmsc.toml"
    path.write_text(text)
    return load(path, {})


def refused(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text)
    return str(caught.value)


def test_a_profile_is_what_it_is_based_on_and_what_it_says_itself(tmp_path: Path) -> None:
    text = """
    [vasp.news]
    profile = "mine"
    mm7_version = "5.6.0"
    [mm7_profile.mine]
    based_on = "between"
    time_zone = "Z"
    status_texts = { Retrieved = "done" }
    [mm7_profile.between]
    based_on = "lgt"
    charset = "UTF-8"
    """
    settings = loaded(tmp_path, text)
    found = dialect_of("news", settings)
    profile = found["profile"]
    assert isinstance(profile, Profile)
    assert (profile.name, profile.charset, profile.time_zone, profile.prefixed) == ("mine", "UTF-8", "Z", True)
    assert profile.status_texts == (("Retrieved", "done"),), "a table replaces the whole one"
    assert profile.order[0][0] == "DeliveryReportReq"
    assert found["namespace"].endswith("/REL-5-MM7-1-2")
    assert found["mm7_version"] == "5.6.0"


def test_every_ready_profile_can_be_used_and_says_something() -> None:
    for name in ready():
        assert values_of(given.Vasp(profile=name), {}), name
        settings = Settings(vasp={"n": given.Vasp(profile=name)})
        standard = dialect_of("n", Settings(vasp={"n": given.Vasp()}))
        assert dialect_of("n", settings) != standard, name


def test_every_key_of_a_profile_is_one_of_the_vasp_or_of_the_domains_profile() -> None:
    odd = {field.name for field in msgspec.structs.fields(Mm7Profile)} - {"based_on"}
    vasp = set(dialect_of("n", Settings(vasp={"n": given.Vasp()}))) - {"profile"}
    domain = {one for one in Profile.__dataclass_fields__ if one != "name"}
    assert odd == vasp | domain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[vasp.a]\nprofile = 'nokai'", "vasp.a.profile = 'nokai', but there is no such profile; the nearest is nokia"),
        ("[mm7_profile.a]\nbased_on = 'b'\n[mm7_profile.b]\nbased_on = 'a'", "mm7_profile.a.based_on leads back"),
        ("[mm7_profile.a]\nbased_on = 'a'", "mm7_profile.a.based_on leads back to itself"),
        ("[mm7_profile.nokia]", "mm7_profile.nokia is a ready one"),
        ("[mm7_profile.standard]", "mm7_profile.standard is a ready one"),
        ("[mm7_profile.a]\ncharset = 'GB2312'\ndeclaration = false", "mm7_profile.a has a charset and no declaration"),
        ("[mm7_profile.a]\nbased_on = 'china-mobile'\ndeclaration = false", "mm7_profile.a has a charset"),
        ("[mm7_profile.a]\nunqualified_children = true", "mm7_profile.a.unqualified_children needs prefixed"),
        ("[mm7_profile.a]\nmm7_prefix = 'env'", "envelope_prefix and mm7_prefix are the same"),
        ("[mm7_profile.a]\nhttp_headers = { content-type = 'x' }", "content-type is written by the server itself"),
        ("[mm7_profile.a]\nchildren = 1", "mm7_profile.a.children is no key"),
        ("[mm7_profile.a]\nmm7_prefix = 'a:b'", "an XML name without a colon"),
        ("[mm7_profile.a]\ntime_zone = '8'", "Z, +hh:mm or -hh:mm"),
        ("[mm7_profile.a]\ncharset = 'big5'", "Expected one of UTF-8, GB2312"),
        ("[mm7_profile.a]\nstatus_codes = { '11' = 1001 }", "a StatusCode, or a StatusCode and the element"),
        ("[mm7_profile.a]\nplain_addresses = ['Sender']", "PARENT/NAME"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_a_profile_that_changed_is_taken_over_while_the_server_runs(tmp_path: Path) -> None:
    old = loaded(tmp_path, "[vasp.a]\nprofile = 'b'\n[mm7_profile.b]\nprefixed = true")
    new = loaded(tmp_path, "[vasp.a]\nprofile = 'b'\n[mm7_profile.b]\nprefixed = false")
    assert changes(old, new) == (("mm7_profile.b",), ())
    assert dialect_of("a", old)["profile"] == Profile(name="b", prefixed=True)
    assert dialect_of("a", new)["profile"] is None, "nothing that is not the standard's"
