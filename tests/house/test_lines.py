"""Where a neighbour's table stands in the file (TOML 1.0)."""

import pytest

from mmsc.settings.lines import lines_of

FILE = '''# [vasp.comment]
[mm7]
port = 0
[vasp.demo]
note = """
[vasp.text]
"""
[ vasp . "two words" ] # why
[vasp.demo.coded_addresses]
[subscriber."+15550000001"]
mms = "on"
[subscriber.'+15550000002']
[vasp."esc\\u0061ped"]
[[vasp.list]]
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("vasp", "demo"), 4),
        (("vasp", "two words"), 8),
        (("subscriber", "+15550000001"), 10),
        (("subscriber", "+15550000002"), 12),
        (("vasp", "escaped"), 13),
        (("vasp", "text"), None),
        (("vasp", "comment"), None),
        (("vasp", "list"), None),
    ],
)
def test_a_table_is_where_its_header_is(key: tuple[str, str], line: int | None) -> None:
    assert lines_of(FILE).get(key) == line
