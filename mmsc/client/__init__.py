"""For programs that test against the server: a client of its REST interface, and a lab as a child process. The standard
library, and nothing else of this package, so that it can be imported anywhere.

    with start_lab() as child, Client(child.url) as lab:
        sent = lab.submit(to=["+15550000001"], subject="Hello", text="Good morning", delivery_report=True)
        lab.wait(sent.mm_id, "retrieved")
"""

from mmsc.client.handsets import Handsets
from mmsc.client.process import LabProcess, NoLab, own_lab, start_lab
from mmsc.client.rest import ApiError, Client, Json, Still, Submitted

__all__ = [
    "ApiError",
    "Client",
    "Handsets",
    "Json",
    "LabProcess",
    "NoLab",
    "Still",
    "Submitted",
    "own_lab",
    "start_lab",
]
