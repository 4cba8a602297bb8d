"""Faults: what the lab does wrong on purpose, by name. A closed catalogue, a plan of which are on, and pure functions
that take right octets and give wrong ones. Gateways and the lab ask the plan at their edges; no codec knows of it."""
