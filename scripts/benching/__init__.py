"""The load driver behind `scripts/bench`: it plays every neighbour of the MMSC at the price of one lean process.

The VASP, its report listener, the SMSC and the handsets are raw asyncio protocols over prebuilt octets, so that on a
small machine the figures are those of the server. It uses nothing of `mmsc` and `protocols`: what it drives may be any
MMSC, and a mistake in our codecs cannot hide behind itself.
"""
