"""What people may see and do: one object for the console's pages, REST and the scenarios, so that each can do the same.

Everything here is values and small services over the engine's ports, the trace and the lab; no HTTP, no HTML.
"""

from mmsc.control.control import Control as Control
