"""Before anything else is imported: what is compiled is kept, a record that is changed fails at once, and no property
has a deadline, which a busy machine would miss."""

from tests import bytecode

bytecode.keep()

from hypothesis import settings  # noqa: E402

from protocols.records import guard  # noqa: E402

guard()
settings.register_profile("house", deadline=None)
settings.load_profile("house")
