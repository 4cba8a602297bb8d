"""The stores that the charging tests run on."""

from tests.store.conftest import store

__all__ = ["store"]
