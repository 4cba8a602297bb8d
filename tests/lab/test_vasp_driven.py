"""The VASP of a lab remembers what it can send again within bounds."""

import pytest

from mmsc.lab import vasp_driven
from mmsc.lab.vasp_driven import DrivenVasp


def test_what_it_can_send_again_is_bounded_in_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vasp_driven, "MAXIMUM_REPEATABLE_OCTETS", 1000)
    vasp = DrivenVasp("http://127.0.0.1:9/mm7", vasp_id="demo")
    for name, octets in (("a", 400), ("b", 400), ("c", 400)):
        vasp._remember(name, "text/xml", bytes(octets))
    assert list(vasp._sent) == ["b", "c"]
    vasp._remember("d", "text/xml", bytes(5000))
    assert list(vasp._sent) == ["d"]
