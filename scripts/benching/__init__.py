"""Behind `scripts/bench`: servers are started afresh, and the driver of `mmsc load` plays their neighbours.

The driver is strict here (one wrong answer voids a run), and lean: on a small machine the figures must be those of the
server. The sides of a case alternate, medians count.
"""
