"""A PostgreSQL server for tests (`mmsc.lab.database`). One a process; one schema a test."""

import atexit
from functools import lru_cache

from mmsc.lab.database import DatabaseError, ThrowawayPostgres, programs
from tests.tools import missing


def needed() -> None:
    """The test cannot run without PostgreSQL's programs."""
    try:
        programs()
    except DatabaseError as error:
        missing("postgres", str(error))


@lru_cache(maxsize=1)
def server() -> str:
    """The DSN of a running server, started when first asked for."""
    needed()
    one = ThrowawayPostgres({"fsync": "off"})
    atexit.register(one.stop)
    one.start()
    return one.dsn
