"""Who takes part in the bench."""

from typing import Final

VASP_NAME: Final = "bench"
VASP_PASSWORD: Final = "bench-password"
SHORT_CODE: Final = "4488"
PICTURE_OCTETS: Final = 30 * 1024
SUBSCRIBERS: Final = 100  # so many handsets take turns; the warm-up makes all of them known


def number_of(index: int) -> str:
    """The fictional subscriber who gets message `index`: +1 555 01 and five digits."""
    return f"+155501{index % SUBSCRIBERS:05d}"
