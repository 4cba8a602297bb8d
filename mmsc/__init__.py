"""An MMSC that runs on a laptop. The octets are in `protocols`; here is everything that moves them."""

__version__ = "0.1.0"
