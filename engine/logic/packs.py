"""Domain packs: the shipped ones, one from a file, several as one.

A pack is one TOML file (resources/help/domain-packs.md explains it); those in resources/domains are shipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from ..errors import RuleError
from .files import text_of
from .formula import Statement
from .pack import Pack, Reference, source_id
from .pack_file import read_pack
from .printing import print_rules
from .vocabulary import Variable, Vocabulary

FOLDER = Path(__file__).parents[2] / "resources" / "domains"
MOST_BYTES = 512 * 1024
SUFFIX = ".toml"
_NOTHING: Mapping[str, str] = MappingProxyType({})


def load_pack(path: str | Path, *, trusted: bool = False) -> Pack:
    """Return the pack of a file.

    Args:
        path: the file.
        trusted: that its rules need not be read to know whether they are sound.

    Raises:
        RuleError: it is missing, too large, or not a pack; `where` names file, line and key. Nothing of it
            is taken then.
        SolverError: lark, the parser of rules, is not installed.
    """
    path = Path(path)
    text = text_of(path, MOST_BYTES, split="Split it into several packs.", save="Save the file as UTF-8.")
    try:
        return read_pack(text, path.stem, trusted=trusted)
    except RuleError as error:
        raise error.at(path.name) from None


@cache
def packs() -> dict[str, Pack]:
    """Return the shipped packs by key, ordered by domain and title; their rules are read when asked for.

    Raises:
        RuleError: a shipped file was edited and is no pack any more.
    """
    found = [_shipped(FOLDER, key) for key in _keys(FOLDER)]
    return {pack.key: pack for pack in sorted(found, key=lambda p: (p.domain, p.title))}


def _keys(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*" + SUFFIX)))


def _shipped(folder: Path, key: str) -> Pack:
    """Return one shipped pack; no other is read."""
    path = folder / (key + SUFFIX)
    about = path.stat()
    return _read_once(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=256)
def _read_once(path: Path, _changed: int, _size: int) -> Pack:
    return load_pack(path, trusted=True)


def pack_of(key: str, carried: Mapping[str, str] = _NOTHING) -> Pack:
    """Return the pack `key`.

    Args:
        key: its name.
        carried: files of packs by key, as a model holds them; a pack that is not there is the shipped one.

    Raises:
        RuleError: there is none, or what is carried is no pack.
    """
    if key in carried:
        text = carried[key]
        if len(text) > MOST_BYTES:
            raise RuleError(f"A pack has at most {MOST_BYTES:,} characters; {key!r} has {len(text):,}.")
        try:
            return read_pack(text, key, trusted=True)
        except RuleError as error:
            raise error.at(key) from None
    if key not in _keys(FOLDER):
        raise RuleError(f"There is no domain pack {key!r}.", do=f"There are {', '.join(packs())}.")
    return _shipped(FOLDER, key)


def combined(parts: Sequence[Pack]) -> Pack:
    """Return several packs as one: all variables, all rules, all sources.

    Variables of one name are one variable. Rules (or sources) of one name in several packs get the key of
    their pack before it: `transfusion: consent`. Samples do not carry over: they say nothing of the others.

    Raises:
        RuleError: there is none, or two packs mean different things by one name.
    """
    if not parts:
        raise RuleError("There is no pack to combine.", do="Name at least one.")
    if len(parts) == 1:
        return parts[0]
    names, ids = _rule_names(parts), Counter(source.id for pack in parts for source in pack.sources)
    alike = {s for s in ids if len({_what(p, s) for p in parts} - {None}) == 1}
    sources: dict[str, Reference] = {}
    statements: list[Statement] = []
    for pack, named in zip(parts, names, strict=True):
        renamed = {s.id: s.id if s.id in alike else f"{pack.key}/{s.id}" for s in pack.sources}
        called = dict(zip((s.name for s in pack.statements), named, strict=True))
        for source in pack.sources:
            key = renamed[source.id]
            left = tuple(called[name] for name in source.unconfirmed if name in called)
            there = sources[key].unconfirmed if key in sources else ()
            sources[key] = replace(source, id=key, unconfirmed=there + left)
        statements += [
            replace(statement, name=name, source=_renamed(statement.source, renamed))
            for statement, name in zip(pack.statements, named, strict=True)
        ]
    return Pack(
        key="+".join(pack.key for pack in parts),
        title=" + ".join(pack.title for pack in parts),
        domain=_joined(pack.domain for pack in parts),
        about="\n".join(pack.about for pack in parts),
        licence=_joined(pack.licence for pack in parts),
        jurisdiction=_joined(pack.jurisdiction for pack in parts),
        date=min((pack.date for pack in parts if pack.date), default=""),
        notice="\n".join(dict.fromkeys(pack.notice for pack in parts if pack.notice)),
        sources=tuple(sources.values()),
        vocabulary=_vocabulary(parts),
        text=print_rules(tuple(statements)),
    )


def origins_of(parts: Sequence[Pack]) -> dict[str, str]:
    """Return the key of the pack that each rule of `combined(parts)` comes from, by the rule's name there."""
    return {
        name: pack.key
        for pack, names in zip(parts, _rule_names(parts), strict=True)
        for name in names
        if name
    }


def _rule_names(parts: Sequence[Pack]) -> list[list[str]]:
    """Return what the rules of each pack are called in all of them together."""
    counts = Counter(s.name for pack in parts for s in pack.statements if s.name)
    return [
        [f"{pack.key}: {s.name}" if counts[s.name] > 1 else s.name for s in pack.statements] for pack in parts
    ]


def _what(pack: Pack, source: str) -> tuple[object, ...] | None:
    """Return what makes a source another one, whatever rules name it."""
    here = (s for s in pack.sources if s.id == source)
    return next(((s.title, s.url, s.checked, s.compared, s.read) for s in here), None)


def _renamed(source: str, ids: dict[str, str]) -> str:
    named = source_id(source)
    return ids[named] + source.strip()[len(named) :] if named in ids else source


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(word for word in words if word))


def _vocabulary(parts: Sequence[Pack]) -> Vocabulary:
    found: dict[str, tuple[Variable, Pack]] = {}
    for pack in parts:
        for variable in pack.vocabulary.variables:
            there = found.setdefault(variable.name, (variable, pack))
            differs = _difference(there[0], variable)
            if differs:
                words = (
                    f"{there[1].key} and {pack.key} mean different things by {variable.name!r}: {differs}."
                )
                raise RuleError(words, do="Combine packs that agree, or rename it in one of them.")
    return Vocabulary(tuple(variable for variable, _ in found.values()))


def _difference(a: Variable, b: Variable) -> str:
    if a.given != b.given:
        return "one is given it, the other decides it"
    for name in ("kind", "values", "least", "most", "step", "unit"):
        one, other = getattr(a, name), getattr(b, name)
        if one != other:
            return f"its {name} is {_shown(one)} or {_shown(other)}"
    return ""


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "{" + ", ".join(map(str, value)) + "}"
    return "not stated" if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)
