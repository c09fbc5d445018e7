"""Named families of algorithms: estimators, surrogates, quantizers, learning rules, optimisers.

An option is one decorated class or function in the file of its family; the field that offers the family,
the catalogue and the inspector find it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Curve = Callable[[F64], tuple[F64, F64]]  # xs -> what the forward pass makes of them, and the gradient there

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
        group: the heading it stands under where the family is long, or "".
        curve: float64 xs -> (forward, gradient), both of xs's shape, which the inspector draws; None where
            the option is no function of one number. It is called in the thread of the window, with a few
            hundred xs: plain NumPy, nothing to compile.
    """

    key: str
    title: str
    formula: str
    citation: str
    make: T
    group: str = ""
    curve: Curve | None = None

    @property
    def serves(self) -> tuple[str, ...]:
        """Return the bit widths it is for, keys of PRECISIONS; empty where it is for any."""
        widths: tuple[str, ...] = getattr(self.make, "serves", ())
        return widths

    def fits(self, width: str) -> bool:
        """Whether it is for a bit width, a key of PRECISIONS."""
        return not self.serves or width in self.serves


class Family(Mapping[str, str], Generic[T]):
    """The options of one kind; as a mapping it is key -> title, which is what a choice field takes."""

    def __init__(self, name: str, title: str, *, curve_of: Callable[[T], Curve] | None = None) -> None:
        """Begin a family; `curve_of` makes the curve of each option that brings none of its own."""
        self.name, self.title = name, title
        self._curve_of = curve_of
        self._options: dict[str, Option[T]] = {}

    def option(
        self,
        key: str,
        title: str,
        *,
        formula: str,
        citation: str = "",
        group: str = "",
        curve: Curve | None = None,
    ) -> Callable[[T], T]:
        """Return the decorator that enters a class or function under `key`."""

        def enter(make: T) -> T:
            if key in self._options:
                raise ValueError(f"{self.name} has an option {key!r} already")
            drawn = curve or (self._curve_of(make) if self._curve_of else None)
            self._options[key] = Option(key, title, formula, citation, make, group, drawn)
            return make

        return enter

    def get_option(self, key: str) -> Option[T]:
        """Return everything known of the option `key`."""
        return self._options[key]

    def make(self, key: str) -> T:
        """Return the class or function of the option `key`."""
        return self._options[key].make

    def serving(self, width: str) -> dict[str, str]:
        """Return key -> title of the options that are for a bit width, a key of PRECISIONS."""
        return {o.key: o.title for o in self.all() if o.fits(width)}

    def all(self) -> tuple[Option[T], ...]:
        """Return the options in the order they were entered."""
        return tuple(self._options.values())

    def __getitem__(self, key: str) -> str:
        return self._options[key].title

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)


class Part(Mapping[str, str]):
    """Some options of a family after choices of another sort; as a mapping it is key -> title."""

    def __init__(
        self, family: Family[Any], keep: Callable[[Any], bool], others: Mapping[str, str] | None = None
    ) -> None:
        """Take the family, which of its classes or functions to keep, and the choices that come first."""
        self._options = {option.key: option for option in family.all() if keep(option.make)}
        self._titles = {**(others or {}), **{key: option.title for key, option in self._options.items()}}

    def get_option(self, key: str) -> Option[Any] | None:
        """Return everything known of an option of the family; None for a choice of another sort."""
        return self._options.get(key)

    def __getitem__(self, key: str) -> str:
        return self._titles[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._titles)

    def __len__(self) -> int:
        return len(self._titles)


def option_of(choices: Mapping[str, str], key: str) -> Option[Any] | None:
    """Return the option behind a choice; None where it is plain words."""
    if not isinstance(choices, Family | Part) or key not in choices:
        return None
    return choices.get_option(key)
