"""The settings: one file, read-only to the program, checked whole before anything of it is used.

`load` reads file and environment; `bare` is a start without a file; `remarks` is advice. Parts of the server get their
own section from `app.py` and never read this.
"""

from mmsc.settings.bare import DEMO_VASP, bare, captures_path, cdr_path, state_folder, store_path
from mmsc.settings.model import Settings
from mmsc.settings.reading import SettingsError, changes, load, merged, secrets
from mmsc.settings.rules import contradictions, is_loopback, remarks

__all__ = [
    "DEMO_VASP",
    "Settings",
    "SettingsError",
    "bare",
    "captures_path",
    "cdr_path",
    "changes",
    "contradictions",
    "is_loopback",
    "load",
    "merged",
    "remarks",
    "secrets",
    "state_folder",
    "store_path",
]
