"""A lab as users start it: a child process of this checkout, one for all tests of a worker."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmsc.client import Client, LabProcess, start_lab

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def checkout() -> Iterator[None]:
    """Children import what is here, whatever is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(TOP), os.environ.get("PYTHONPATH", "")))))
        yield


@pytest.fixture(scope="session")
def running(checkout: None) -> Iterator[LabProcess]:
    with start_lab() as lab:
        yield lab


@pytest.fixture
def lab(running: LabProcess) -> Iterator[Client]:
    with Client(running.url) as client:
        client.reset()
        yield client
