"""Makes the certificates of the lab (`mmsc/lab/certificates`) anew. It needs trustme, which scripts/test
installs. The key of their CA is not kept, so nobody can issue more."""

from datetime import UTC, datetime
from pathlib import Path

import trustme

FOLDER = Path(__file__).parent.parent / "mmsc" / "lab" / "certificates"
_2020 = datetime(2020, 1, 1, tzinfo=UTC)
_2021 = datetime(2021, 1, 1, tzinfo=UTC)
_2037 = datetime(2037, 1, 1, tzinfo=UTC)
_NAMES = ("localhost", "127.0.0.1", "::1")


def _leaf_alone(issued: trustme.LeafCert) -> bytes:
    return issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes()


def main() -> None:
    """Write them all."""
    ca = trustme.CA(organization_name="MMSC lab", organization_unit_name="trust it in a lab alone")
    stranger = trustme.CA(organization_name="MMSC lab", organization_unit_name="a CA that nobody knows")
    files = {
        "good": ca.issue_cert(*_NAMES).private_key_and_cert_chain_pem.bytes(),
        "expired": _leaf_alone(ca.issue_cert(*_NAMES, not_before=_2020, not_after=_2021)),
        "not-yet-valid": _leaf_alone(ca.issue_cert(*_NAMES, not_before=_2037)),
        "wrong-name": _leaf_alone(ca.issue_cert("elsewhere.example")),
        "missing-intermediate": _leaf_alone(ca.create_child_ca().issue_cert(*_NAMES)),
        "unknown-ca": stranger.issue_cert(*_NAMES).private_key_and_cert_chain_pem.bytes(),
        "ca": ca.cert_pem.bytes(),
    }
    for name, octets in files.items():
        (FOLDER / f"{name}.pem").write_bytes(octets)


if __name__ == "__main__":
    main()
