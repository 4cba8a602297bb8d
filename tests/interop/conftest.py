"""The same lab as the scenes have."""

from tests.scenarios.conftest import lab

__all__ = ["lab"]
