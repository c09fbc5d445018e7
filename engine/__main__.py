"""Start the command line: python -m engine."""

from __future__ import annotations

import sys

from .cli.main import main as run


def main() -> int:
    """Run the command line with the arguments of this process and return the exit status."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
