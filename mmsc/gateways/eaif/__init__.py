"""EAIF: applications that speak Nokia's External Application Interface, by the door of MM7."""
