"""The picture that the demonstration sends: a lake in the evening, 640 x 480, drawn for this project."""

from importlib import resources


def picture() -> bytes:
    """The octets of `lake.jpg`, a baseline JPEG of about 30 KB."""
    return resources.files(__name__).joinpath("lake.jpg").read_bytes()
