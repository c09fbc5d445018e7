"""Numbers as the window shows them: thin spaces between thousands, sizes and energies with a unit."""

from __future__ import annotations

THIN = "\u202f"
_SIZES = ("B", "kB", "MB", "GB", "TB")
_ENERGIES = ("pJ", "nJ", "µJ", "mJ", "J")
_COUNTS = ("", "k", "M", "G", "T")


def whole(number: int) -> str:
    """Return a whole number with thin spaces: `87 554`."""
    return f"{number:,}".replace(",", THIN)


def size(n: int) -> str:
    """Return a size of `n` bytes, in steps of 1,000: `1.25 kB`."""
    return _scaled(n, _SIZES)


def energy(picojoules: float) -> str:
    """Return an energy given in picojoules: `38 nJ`."""
    return _scaled(picojoules, _ENERGIES)


def count(number: float) -> str:
    """Return a large count in short: `1.05 M`."""
    return _scaled(number, _COUNTS).rstrip()


def plural(number: int, one: str, many: str = "") -> str:
    """Return `1 node`, `8 nodes`."""
    return f"{whole(number)} {one if number == 1 else many or one + 's'}"


def _scaled(value: float, units: tuple[str, ...]) -> str:
    place = 0
    while abs(value) >= 999.5 and place < len(units) - 1:
        value, place = value / 1000, place + 1
    if value == int(value) or abs(value) >= 100:
        number = f"{value:.0f}"
    else:
        number = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{number} {units[place]}"
