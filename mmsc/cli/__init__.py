"""The commands. Each is a module here that offers `command`; `group.py` lists them and imports one when called."""
