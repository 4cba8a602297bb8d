"""The neighbours of an MMSC that is killed again and again, and the ledger of what it promised them.

The seed decides what is sent to whom, who is killed, and how long after its start. Processes are real: the system
decides which instruction a kill hits, so a seed brings the same plan again, not the same instant.
"""
