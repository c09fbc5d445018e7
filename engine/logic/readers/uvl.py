"""Feature models in the Universal Variability Language: features become flags, groups and constraints rules.

The Boolean level of the language with group cardinalities, comparisons of attributes and of typed features
(Benavides, Sundermann, Feichtinger, Galindo, Rabiser, Thüm: UVL, Feature modelling with the Universal
Variability Language, JSS 2024, doi:10.1016/j.jss.2024.112326). Attributes that no constraint speaks of are
left out with a note; features that occur several times and imports are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...errors import RuleError
from ..formula import Place
from ..language import MOST_BYTES, MOST_RULES
from ..vocabulary import Variable, Vocabulary
from .reader import Document, reader
from .uvl_constraints import constraint
from .uvl_numbers import Numbers
from .writing import either, quoted, rule_text

MOST_FEATURES = 5_000
MOST_DEPTH = 200  # of the tree
_GROUPS = ("mandatory", "optional", "or", "alternative")
_SECTIONS = ("namespace", "imports", "include", "features", "constraints")  # include: levels of the language
_CARDINALITY = re.compile(r"\[(\d{1,6})(?:\.\.(\d{1,6}|\*))?\]", re.ASCII)
# A comment that nothing ends reaches to the end: to look for its end again from every /* would take long.
_ONCE = re.compile(r"cardinality\s*\[\s*1\s*(\.\.\s*1\s*)?\]")
_ATTRIBUTE = re.compile(r"""("[^"\n]+"|[^\s"'{}]+)\s+(-?\d+(?:\.\d+)?|'[^'\n]*')""", re.ASCII)
_COMMENT = re.compile(r"""("[^"\n]*"|'[^'\n]*')|/\*.*?(?:\*/|\Z)|//[^\n]*""", re.DOTALL)
_FEATURE = re.compile(
    r"""(?:(Boolean|String|Integer|Real)\s+)?("[^"\n]+"|[^\s{}"]+)\s*+(cardinality\s*+\[[^\]]*\])?\s*+(\{.*\})?"""
)


@dataclass
class _Line:
    """One line that says something: its indentation, its words, where it stands."""

    depth: int
    text: str
    place: Place


@dataclass
class _Group:
    """Features below one parent."""

    parent: str
    kind: str
    place: Place
    least: int = 0
    most: int | None = None
    members: list[str] = field(default_factory=list)


@dataclass
class _Model:
    """What is known of a file so far."""

    features: dict[str, Place] = field(default_factory=dict)
    groups: list[_Group] = field(default_factory=list)
    constraints: list[tuple[str, Place]] = field(default_factory=list)
    attributes: int = 0
    numbers: Numbers = field(default_factory=Numbers)


@reader(".uvl", "feature models")
def read_uvl(text: str) -> Document:
    """Return the rules of a feature model: a configuration keeps them exactly where it is valid.

    Raises:
        RuleError: it is no UVL, or uses a level of it that is not read; `where` is line and column.
    """
    model = _Model()
    sections = _sections(_lines(text))
    if "features" not in sections:
        raise RuleError("There is no section `features`.", where="line 1", do="A model has one root feature.")
    for line in sections.get("imports", []):
        raise _wrong("Imports of other models are not read.", line.place, "Merge the models first.")
    _read_features(sections["features"], model)
    model.constraints += [(line.text, line.place) for line in sections.get("constraints", [])]
    rules = "".join((*_tree(model), *_cross(model)))
    flags = (Variable(name, "flag", text=f"feature {name}") for name in model.features)
    return Document(Vocabulary((*flags, *model.numbers.variables())), rules, _notes(model))


# Lines and sections


def _lines(text: str) -> Iterator[_Line]:
    text = _COMMENT.sub(lambda found: found[1] or _blank(found), text)
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip("\r").expandtabs(4)
        stripped = line.strip()
        if stripped:
            depth = len(line) - len(line.lstrip())
            yield _Line(depth, stripped, Place(number, depth + 1))


def _blank(comment: re.Match[str]) -> str:
    words, start = comment[0], comment.start()
    if words.startswith("/*") and (len(words) < 4 or not words.endswith("*/")):
        line = comment.string.count("\n", 0, start) + 1
        place = Place(line, start - comment.string.rfind("\n", 0, start))
        raise _wrong("The comment that begins here is not ended.", place, "End it by */.")
    return re.sub(r"[^\n]", " ", words)


def _sections(lines: Iterator[_Line]) -> dict[str, list[_Line]]:
    found: dict[str, list[_Line]] = {}
    here: list[_Line] | None = None
    for line in lines:
        word = line.text.split()[0].rstrip(":")
        if line.depth == 0:
            if word not in _SECTIONS:
                words = f"{line.text[:40]!r} begins no section."
                raise _wrong(
                    words, line.place, f"Sections are {', '.join(_SECTIONS)}; what is in one is indented."
                )
            if word in found:
                raise _wrong(f"There are two sections {word!r}.", line.place)
            here = found.setdefault(word, [])
        elif here is None:
            raise _wrong("An indented line stands before any section.", line.place)
        else:
            here.append(line)
    return found


# The tree


def _read_features(lines: list[_Line], model: _Model) -> None:
    if not lines:
        raise RuleError("There is no feature.", where="line 1", do="A model has one root feature.")
    open_: list[tuple[int, str | _Group]] = []  # depth, and the feature or group whose inside it is
    for line in lines:
        while open_ and open_[-1][0] >= line.depth:
            open_.pop()
        if len(open_) > MOST_DEPTH:
            raise _wrong(f"The tree is more than {MOST_DEPTH // 2} features deep.", line.place)
        above = open_[-1][1] if open_ else None
        if isinstance(above, str):
            group = _group(line, above)
            model.groups.append(group)
            open_.append((line.depth, group))
            continue
        if above is None and model.features:
            raise _wrong("There are two root features.", line.place, "A model has one.")
        name = _feature(line, model)
        if above is not None:
            above.members.append(name)
        open_.append((line.depth, name))
    for group in model.groups:
        _check_group(group)


def _group(line: _Line, parent: str) -> _Group:
    cardinality = _CARDINALITY.fullmatch(line.text)
    if line.text in _GROUPS:
        return _Group(parent, line.text, line.place)
    if cardinality is None:
        words = f"{line.text[:40]!r} is no group."
        raise _wrong(words, line.place, f"Below a feature stand {', '.join(_GROUPS)} or [n..m].")
    least = int(cardinality[1])
    most = cardinality[2] or cardinality[1]
    return _Group(parent, "cardinality", line.place, least, None if most == "*" else int(most))


def _feature(line: _Line, model: _Model) -> str:
    found = _FEATURE.fullmatch(line.text)
    if found is None:
        raise _wrong(
            f"{line.text[:40]!r} is no feature.", line.place, 'Write NAME or "NAME", then {attributes}.'
        )
    kind, name, cardinality, attributes = found.groups()
    if cardinality and not _ONCE.fullmatch(cardinality):
        raise _wrong("A feature that occurs several times is not read.", line.place, "Write it out.")
    name = name.strip('"')
    if name in model.features:
        raise _wrong(f"There are two features {name[:60]!r}.", line.place)
    if len(model.features) >= MOST_FEATURES:
        raise _wrong(f"There are more than {MOST_FEATURES:,} features.", line.place)
    model.features[name] = line.place
    if kind and kind != "Boolean":
        model.numbers.types[name] = kind
    if attributes:
        _read_attributes(name, attributes[1:-1], line.place, model)
    return name


def _read_attributes(feature: str, text: str, place: Place, model: _Model) -> None:
    for part in _parts(text):
        words = part.strip()
        if re.match(r"constraints?\b", words):
            inside = re.sub(r"^constraints?\s*", "", words).strip("[] ")
            model.constraints += [(one.strip(), place) for one in inside.split(",") if one.strip()]
        elif words and words != "abstract":
            model.attributes += 1
            told = _ATTRIBUTE.fullmatch(words)
            if told:
                model.numbers.attributes.setdefault(feature, {})[told[1].strip('"')] = told[2]


def _parts(text: str) -> list[str]:
    """Return what stands between commas that are in no brackets and no quotes."""
    depth, last, found = 0, 0, []
    for mark in re.finditer(r"""'[^'\n]*'|"[^"\n]*"|[][{},]""", text):
        if mark[0] in "[]{}":
            depth = max(depth + (1 if mark[0] in "[{" else -1), 0)
        elif mark[0] == "," and not depth:
            found.append(text[last : mark.start()])
            last = mark.end()
    return [*found, text[last:]]


def _check_group(group: _Group) -> None:
    many = len(group.members)
    if not many:
        raise _wrong("The group has no features.", group.place)
    if group.kind == "cardinality":
        most = many if group.most is None else group.most
        if not group.least <= most <= many:
            words = f"The group asks for {group.least} to {most} of {many} features."
            raise _wrong(words, group.place, f"Ask for 0 to {many}.")


# From the model to rules


def _tree(model: _Model) -> Iterator[str]:
    root = next(iter(model.features))
    yield rule_text(f"root {root}", quoted(root), "The root is in every configuration")
    seen: Counter[str] = Counter()
    for group in model.groups:
        name = f"{group.kind} of {group.parent}"
        seen[name] += 1
        if seen[name] > 1:
            name += f" ({seen[name]})"
        reason = f"Line {group.place.line} of the feature model"
        yield rule_text(name, _of_group(group), reason)


def _of_group(group: _Group) -> str:
    parent, members = quoted(group.parent), [quoted(name) for name in group.members]
    up = f"({either(members)} implies {parent})"
    down = _choice(group, members)
    return f"{up} and ({parent} implies {down})" if down else up


def _choice(group: _Group, members: list[str]) -> str:
    """Return what a parent asks of the group, "" where it asks for nothing."""
    if group.kind == "optional":
        return ""
    if len(members) == 1 and group.kind != "cardinality":
        return members[0]
    listed = f"of ({', '.join(members)})"
    if group.kind in ("mandatory", "or"):
        return f"({(' and ' if group.kind == 'mandatory' else ' or ').join(members)})"
    if group.kind == "alternative":
        return f"exactly 1 {listed}"
    most = len(members) if group.most is None else group.most
    if group.least == most:
        return f"exactly {most} {listed}"
    parts = [f"at least {group.least} {listed}"] if group.least else []
    if most < len(members):
        parts.append(f"at most {most} {listed}")
    return f"({' and '.join(parts)})" if parts else ""


def _cross(model: _Model) -> Iterator[str]:
    size = 0
    for number, (text, place) in enumerate(model.constraints, 1):
        size += len(text)
        if number > MOST_RULES or size > MOST_BYTES:
            words = f"{MOST_RULES:,} constraints of {MOST_BYTES // 1024} KiB are the most."
            raise _wrong(words, place, "Split the model.")
        found = constraint(text, place, model.numbers)
        for name, at in found.names:
            if name not in model.features:
                raise _wrong(f"There is no feature {name[:60]!r}.", at)
        yield rule_text(f"constraint {number}", found.text, f"Line {place.line}: {text[:200]}")


def _notes(model: _Model) -> tuple[str, ...]:
    found = []
    left = model.attributes - len(model.numbers.used)
    if left:
        many = f"{left} attributes are" if left > 1 else "One attribute is"
        found.append(f"{many} left out: no constraint speaks of {'them' if left > 1 else 'it'}.")
    if model.numbers.used:
        found.append("An attribute counts as 0 where its feature is not chosen.")
    if model.numbers.types:
        names = ", ".join(v.name for v in model.numbers.variables())
        found.append(f"What typed features are set to are facts: {names}.")
    return tuple(found)


def _wrong(words: str, place: Place, do: str = "") -> RuleError:
    return RuleError(words, where=str(place), do=do)
