"""MM1 PDUs and WAP pushes as JSON that people read and write, and back; `mmsc decode --json` writes it, `mmsc encode`
reads it.

Wire names are keys, enumerations are the words of the standard, seconds and octets are numbers. What comes out of
`written` and goes through `read` gives the same octets, but where `is_exact` says that ours are not those that came.
"""

from mmsc.trace.json_form.document import is_exact, read, written
from mmsc.trace.json_form.faults import JsonFormError

__all__ = ["JsonFormError", "is_exact", "read", "written"]
