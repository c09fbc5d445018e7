"""Numbers on the command line: what is none, or beyond what makes sense, gets a sentence."""

from __future__ import annotations

from argparse import ArgumentTypeError

MOST_SECONDS = 86_400.0


def seconds(text: str) -> float:
    """Return a limit of time."""
    return between(text, 0.1, MOST_SECONDS)


def nats(text: str) -> float:
    """Return what a unit of weight is worth."""
    return between(text, 0.0001, 10_000.0)


def between(text: str, low: float, high: float) -> float:
    """Return a number from `low` to `high`; NaN is none."""
    try:
        value = float(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a number, {low:g} to {high:g}; got {text[:20]!r}") from None
    if not low <= value <= high:
        raise ArgumentTypeError(f"must be {low:g} to {high:g}; got {text[:20]}")
    return value


def count(text: str, low: int = 0, high: int = 999_999_999) -> int:
    """Return a whole number from `low` to `high`."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
        raise ArgumentTypeError(f"must be {low} to {high:,}, a whole number; got {text[:20]!r}")
    return int(text)
