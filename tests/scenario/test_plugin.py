"""The pytest plugin, in a suite of somebody else's."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SUITE = """
NUMBER = "+15550000001"

def test_one_leaves_much_behind(mmsc_lab):
    mmsc_lab.phone(NUMBER).behave("reject")
    mmsc_lab.vasp_answers("HTTP 503")
    mmsc_lab.client.set_fault("mm7-submit-slow", seconds=0)
    sent = mmsc_lab.submit(NUMBER, text="x")
    mmsc_lab.expect("DeliveryReportReq", MessageID=sent.message_id, MMStatus="Rejected")

def test_another_finds_nothing_of_it(mmsc_lab):
    assert mmsc_lab.client.received() == []
    assert mmsc_lab.phone(NUMBER).inbox == []
    assert mmsc_lab.client.messages()["rows"] == []
    assert mmsc_lab.client.get("/faults", on="true")["faults"] == []
    sent = mmsc_lab.submit(NUMBER, subject="Hello", text="x")
    assert mmsc_lab.expect("DeliveryReportReq", MMStatus="Retrieved")["MessageID"] == sent.message_id
    assert mmsc_lab.phone(NUMBER).expect(subject="Hello", state="here")["size_octets"] > 0
    mmsc_lab.expect(state="retrieved", of=sent)
    mmsc_lab.nothing("*", within="1 h")

def test_time_passes_as_fast_as_it_must(mmsc_lab):
    mmsc_lab.phone(NUMBER).behave("never")
    mmsc_lab.submit(NUMBER, text="x", expiry_date="PT2H")
    mmsc_lab.nothing("*", within="1 h")
    mmsc_lab.expect("DeliveryReportReq", MMStatus="Expired", within="2 h")

def test_what_is_set_is_undone(mmsc_lab):
    with mmsc_lab.fault("mm7-submit-status", status=4006):
        assert mmsc_lab.submit(NUMBER, text="x").status_code == 4006
    assert mmsc_lab.submit(NUMBER, text="x").accepted
    with mmsc_lab.clock_paused():
        assert mmsc_lab.client.clock()["paused"]
    assert not mmsc_lab.client.clock()["paused"]

def test_a_handset_sends(mmsc_lab):
    mmsc_lab.phone(NUMBER).send("+15550000002", subject="Hi", text="x")
    mmsc_lab.phone("+15550000002").expect("message", state="here", subject="Hi")

def test_none_needs_the_lab():
    assert True
"""
FAILING = """
def test_it_expects_what_does_not_come(mmsc_lab):
    sent = mmsc_lab.submit("+15550000001", text="x")
    mmsc_lab.expect("DeliveryReportReq", MessageID=sent.message_id, MMStatus="Expired", within=1)
"""


@pytest.fixture
def suite(checkout: None, pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\naddopts = -p no:schemathesis\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


@pytest.mark.slow
def test_each_test_finds_the_lab_clean(suite: pytest.Pytester) -> None:
    suite.makepyfile(SUITE)
    suite.runpytest_subprocess("-W", "error").assert_outcomes(passed=6)


@pytest.mark.slow
def test_a_failure_shows_what_was_expected_what_came_and_the_ladder(suite: pytest.Pytester) -> None:
    suite.makepyfile(FAILING)
    told = suite.runpytest_subprocess()
    told.assert_outcomes(failed=1)
    told.stdout.fnmatch_lines(
        [
            "*the nearest of 1 differs in MMStatus",
            "*expected  DeliveryReportReq  MessageID=*MMStatus=Expired",
            "*got       DeliveryReportReq  MessageID=*MMStatus=Retrieved",
            "*SubmitReq*",
        ]
    )
    assert "looking.py" not in told.stdout.str()  # the traceback ends in the test


@pytest.mark.slow
def test_each_worker_has_a_lab_of_its_own(suite: pytest.Pytester) -> None:
    files = {f"test_{name}": FAILING.replace("Expired", "Retrieved") + _WHERE for name in "ab"}
    suite.makepyfile(**files)
    told = suite.runpytest_subprocess("-n", "2", "--dist", "loadfile")
    told.assert_outcomes(passed=4)
    places = (suite.path / "places").read_text().split()
    assert len(set(places)) == len(places) == 2


_WHERE = """
def test_where(mmsc_lab, request):
    with (request.config.rootpath / "places").open("a") as file:
        file.write(mmsc_lab.url + "\\n")
"""


@pytest.mark.slow
def test_the_example_suite_passes(suite: pytest.Pytester) -> None:
    for one in (Path(__file__).parents[2] / "fixtures" / "examples" / "weather").glob("*.py"):
        (suite.path / one.name).write_text(one.read_text())
    told = suite.runpytest_subprocess("-W", "error")
    told.assert_outcomes(passed=8)


@pytest.mark.slow
def test_what_readme_shows_passes(suite: pytest.Pytester) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (shown,) = (one for one in readme.split("```python\n")[1:] if "mmsc_lab" in one)
    suite.makepyfile(shown.partition("```")[0])
    suite.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)
