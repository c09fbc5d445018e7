"""Start the command line: python -m engine."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line with the arguments of this process and return the exit status."""
    try:
        from .cli.main import main as run  # here, for it takes long enough to be interrupted
        from .kernels.jit import spare_scipy
    except KeyboardInterrupt:
        sys.stderr.write("polybit: Stopped.\n")
        return 130
    except OSError as error:  # no folder for the machine code of kernels can be written to
        do = "Set POLYBIT_CACHE or TMPDIR to a folder that can be written to."
        sys.stderr.write(f"polybit: There is nowhere to keep files: {error.strerror or error}. {do}\n")
        return 1
    spare_scipy()
    return run(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
