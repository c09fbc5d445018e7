"""Typed, limited, self-describing fields: what nodes, optimisers and training settings are made of.

A class that derives from `Fields` is a frozen dataclass whose fields are declared with `whole`, `real`,
`choice`, `flag`, `text`, `path` or `bit_width`. The limits are checked whenever one is made; the inspector
builds its form, the catalogue its pages and the project file its keys from the same declarations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Self, TypedDict, Unpack

from .errors import FieldError
from .precision import PRECISIONS

_LONGEST = 80  # characters of a wrong value that a message repeats
Form = Literal["whole", "real", "choice", "flag", "text", "path", "bits", "rules", "packs", "hidden"]


@dataclass(frozen=True)
class About:
    """What is known of one field besides its value.

    Attributes:
        form: which editor shows it.
        help: one line, shown as the tooltip.
        unit: unit of the number, or "".
        low: smallest allowed number, or None.
        high: largest allowed number, or None.
        options: for a choice, the table key -> title, read when it is asked for.
        citation: the paper the parameter comes from, or "".
        suffixes: for a path, the file endings it takes.
        title: its name on screen where the field's own would puzzle; "" for that.
        group: the heading it stands under in a long form, or "".
        when: told the whole set of fields, whether this one does anything beside the values of the others;
            None where it always does. The form hides it otherwise; its value is kept, its limits hold.
        serving: for a choice, told the whole set of fields, the options key -> title that serve beside the
            values of the others; None where all do. A form offers these.
    """

    form: Form
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    options: Callable[[], Mapping[str, str]] = dict
    citation: str = ""
    suffixes: tuple[str, ...] = ()
    title: str = ""
    group: str = ""
    when: Callable[[Any], bool] | None = None
    serving: Callable[[Any], Mapping[str, str]] | None = None

    def offered(self, fields: Any) -> Mapping[str, str]:
        """Return the options to choose among beside the values of `fields`, the whole set."""
        return self.serving(fields) if self.serving else self.options()


class More(TypedDict, total=False):
    """What any declaration of a field may say besides: see `About`."""

    citation: str
    title: str
    group: str
    when: Callable[[Any], bool]
    serving: Callable[[Any], Mapping[str, str]]


def _made(default: Any, about: About) -> Any:
    return field(default=default, metadata={"about": about})


def whole(default: int, low: int, high: int, help: str, *, unit: str = "", **more: Unpack[More]) -> Any:
    """Declare a whole number from `low` to `high`."""
    return _made(default, About("whole", help, unit, low, high, **more))


def real(default: float, low: float, high: float, help: str, *, unit: str = "", **more: Unpack[More]) -> Any:
    """Declare a number from `low` to `high`."""
    return _made(default, About("real", help, unit, low, high, **more))


def choice(default: str, options: Mapping[str, str], help: str, **more: Unpack[More]) -> Any:
    """Declare one of the keys of `options` (key -> title). A registry that fills later may be handed in."""
    return _made(default, About("choice", help, options=lambda: options, **more))


def flag(default: bool, help: str, **more: Unpack[More]) -> Any:
    """Declare a yes or no."""
    return _made(default, About("flag", help, **more))


def text(default: str, help: str, **more: Unpack[More]) -> Any:
    """Declare a line of text."""
    return _made(default, About("text", help, **more))


def rules(default: str, help: str) -> Any:
    """Declare a text of rules in the rule language, edited in the rule editor."""
    return _made(default, About("rules", help))


def packs(default: str, help: str) -> Any:
    """Declare keys of domain packs, separated by commas, taken in the pack picker."""
    return _made(default, About("packs", help))


def path(help: str, suffixes: tuple[str, ...], **more: Unpack[More]) -> Any:
    """Declare the path of a file, relative to the project's folder."""
    return _made("", About("path", help, suffixes=suffixes, **more))


def bit_width(default: str, help: str, **more: Unpack[More]) -> Any:
    """Declare a bit width, one key of PRECISIONS, shown as the segmented control."""
    options = {key: row.title for key, row in PRECISIONS.items()}
    return _made(default, About("bits", help, unit="bits", options=lambda: options, **more))


def hidden(default: Any) -> Any:
    """Declare a value that is found out, not set: neither shown in the form nor written to files."""
    return _made(default, About("hidden", ""))


@dataclass(frozen=True)
class Fields:
    """Base of every set of typed fields; making one checks every limit.

    Raises:
        FieldError: a value is of another type or outside its limits; the message names field and limits.
    """

    title: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, about in self.about().items():
            object.__setattr__(self, name, _checked(self.title, name, about, getattr(self, name)))

    @classmethod
    def about(cls) -> dict[str, About]:
        """Return what is known of each field, in order."""
        return {f.name: f.metadata["about"] for f in fields(cls)}

    def values(self) -> dict[str, Any]:
        """Return the field values that a file keeps: all but the hidden ones."""
        return {k: getattr(self, k) for k, about in self.about().items() if about.form != "hidden"}

    def applies(self, name: str) -> bool:
        """Return whether a field does anything beside the values that the others have."""
        when = self.about()[name].when
        return when is None or bool(when(self))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Make one from what a file held.

        Raises:
            FieldError: a key is unknown or a value does not fit.
        """
        known = {k for k, about in cls.about().items() if about.form != "hidden"}
        for key in values:
            if key not in known:
                there = ", ".join(sorted(known)) or "none"
                raise FieldError(f"{cls.title} has no parameter {key!r}; there are {there}.", where=key)
        return cls(**values)


def label(name: str, about: About | None = None) -> str:
    """Return a field's name as it is shown: `weight_bits` -> `Weight bits`, or the title it was given."""
    if about and about.title:
        return about.title
    return name.replace("_", " ").capitalize()


def _checked(owner: str, name: str, about: About, value: Any) -> Any:
    if about.form == "hidden":
        return value
    if about.form in ("whole", "real"):
        return _checked_number(owner, name, about, value)
    if about.form == "flag":
        if not isinstance(value, bool):
            raise _wrong(owner, name, "true or false", value)
        return value
    if not isinstance(value, str):
        raise _wrong(owner, name, "a text", value)
    if about.form in ("choice", "bits") and value not in about.options():
        raise _wrong(owner, name, "one of " + ", ".join(about.options()), value)
    return value


def _checked_number(owner: str, name: str, about: About, value: Any) -> int | float:
    low, high = about.low, about.high
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = whole or (isinstance(value, float) and math.isfinite(value))  # a whole number has no infinity
    if not number or (about.form == "whole" and value != int(value)):
        raise _wrong(owner, name, "a whole number" if about.form == "whole" else "a number", value)
    if (low is not None and value < low) or (high is not None and value > high):
        raise _wrong(owner, name, f"{_limit(low)} to {_limit(high)}", value)
    return int(value) if about.form == "whole" else float(value)


def _limit(number: float | None) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def _wrong(owner: str, name: str, must: str, got: object) -> FieldError:
    given = repr(got)
    short = given if len(given) <= _LONGEST else f"{given[:_LONGEST]} ..."
    return FieldError(f"{owner}: {label(name)} must be {must}; got {short}.", where=name)
