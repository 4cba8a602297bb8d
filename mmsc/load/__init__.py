"""The load tool's room: it plays every neighbour of an MMSC at the price of one lean process, and counts.

The VASP, its report listener, the SMSC and the handsets are raw asyncio protocols over prebuilt octets, so that on a
small machine the figures are those of the server. Nothing here uses a codec of `protocols` on the way of a message:
what is driven may be any MMSC, and a mistake in our codecs cannot hide behind itself. What a server answers wrongly,
late or not at all is counted under its name; it never ends the run by an exception.
"""
