"""`python -m mmsc`, and the console script `mmsc`."""

from mmsc.cli.group import main

__all__ = ["main"]

if __name__ == "__main__":
    main(prog_name="mmsc")
