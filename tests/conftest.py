"""Before anything else is imported: what is compiled is kept, a record that is changed fails at once, and no property
has a deadline, which a busy machine would miss. And a task that failed by an error of ours fails the test."""

from tests import bytecode

bytecode.keep()

import logging  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from protocols.records import guard  # noqa: E402

guard()
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _no_task_fails(request: pytest.FixtureRequest) -> Iterator[None]:
    """The engine logs its own errors and goes on. Whoever expects one asks for `caplog`."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.append(f"{record.getMessage()} {record.exc_info}")  # type: ignore[method-assign]
    log = logging.getLogger("mmsc.engine")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
    if "caplog" not in request.fixturenames:
        assert found == []
