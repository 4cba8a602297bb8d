"""Before anything else is imported: in tests a record that is changed fails at once, and no property has a deadline,
which a busy machine would miss."""

from hypothesis import settings

from protocols.records import guard

guard()
settings.register_profile("house", deadline=None)
settings.load_profile("house")
