"""Before anything else is imported: in tests a record that is changed fails at once."""

from protocols.records import guard

guard()
