"""`python -m infra.contract [--write] [DOCS]`: check the committed contract, or write it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.contract import stale_files, write_files


def main() -> int:
    """Return 0 where the files are fresh or were written, else 1."""
    parser = argparse.ArgumentParser(prog="python -m infra.contract", description=__doc__)
    parser.add_argument("docs", type=Path, nargs="?", default=Path("docs"))
    parser.add_argument("--write", action="store_true", help="write what differs")
    arguments = parser.parse_args()
    if arguments.write:
        write_files(arguments.docs)
    stale = stale_files(arguments.docs)
    for name in stale:
        sys.stderr.write(f"{name} differs from the catalogue: python -m infra.contract --write\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
