"""Scenarios: what neighbours do and what must follow, written in YAML, told to any lab over REST.

A scenario is read (`reading`), carried out step by step in service time (`runner`), and told (`junit`, `page`). This
room knows a server by `mmsc.client` alone, so a lab elsewhere does as well as one that was started here.
"""
