"""What people look at, at the console's listener (aiohttp, Jinja2, htmx): pages over `mmsc.control`. REST and the
operators' paths are served by the same listener."""
