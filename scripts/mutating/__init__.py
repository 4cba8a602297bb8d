"""Mutated octets against the decoders: read, or refused by a ProtocolError, with work and memory in proportion."""
