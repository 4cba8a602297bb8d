"""Captures as pcapng: TCP connections written anew around what was on the wire, so that Wireshark decodes it without
being told anything."""

from mmsc.trace.pcapng.naming import name_of as name_of
from mmsc.trace.pcapng.writer import Captured as Captured
from mmsc.trace.pcapng.writer import PcapngWriter as PcapngWriter
from mmsc.trace.pcapng.writer import pcapng as pcapng
