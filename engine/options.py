"""Named families of algorithms: estimators, surrogates, quantizers, learning rules, optimisers.

An option is one decorated class or function in the file of its family; the field that offers the family,
the catalogue and the inspector find it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Option(Generic[T]):
    """One algorithm of a family.

    Attributes:
        key: its name in files.
        title: its name on screen.
        formula: what it computes, in one line.
        citation: the paper, or "" where it is nobody's.
        make: the class or function itself.
    """

    key: str
    title: str
    formula: str
    citation: str
    make: T


class Family(Mapping[str, str], Generic[T]):
    """The options of one kind; as a mapping it is key -> title, which is what a choice field takes."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self._options: dict[str, Option[T]] = {}

    def option(self, key: str, title: str, *, formula: str, citation: str = "") -> Callable[[T], T]:
        """Return the decorator that enters a class or function under `key`."""

        def enter(make: T) -> T:
            if key in self._options:
                raise ValueError(f"{self.name} has an option {key!r} already")
            self._options[key] = Option(key, title, formula, citation, make)
            return make

        return enter

    def get_option(self, key: str) -> Option[T]:
        """Return everything known of the option `key`."""
        return self._options[key]

    def make(self, key: str) -> T:
        """Return the class or function of the option `key`."""
        return self._options[key].make

    def all(self) -> tuple[Option[T], ...]:
        """Return the options in the order they were entered."""
        return tuple(self._options.values())

    def __getitem__(self, key: str) -> str:
        return self._options[key].title

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)
