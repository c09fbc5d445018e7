"""Rule texts made wrong on purpose: every one must give rules or one sentence, soon, and never a traceback.

`python -m engine.bench.mutations --count 100000` tries that many mutations of every rule text that ships: the
help page, the domain packs, the examples of all forms. Exit status 1 where one crashed or took too long.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType

from ..errors import PolybitError, RuleError
from ..logic.completing import KEYWORDS, completions, tokens
from ..logic.forms import FORMS
from ..logic.language import read
from ..logic.lexicon import pieces
from ..logic.lowering import lowered
from ..logic.packs import packs
from ..logic.printing import print_rules
from ..logic.ruleset import RuleSet
from ..logic.trials import parted
from ..logic.vocabulary import Kind, Variable, Vocabulary

HELP = Path(__file__).parents[2] / "resources" / "help" / "rules.md"
_LOWERED = 2_000  # characters of a text that is lowered too
LIMIT = 5.0  # seconds of processor time that one text may take, however busy the machine is
_STRANGE = (
    *("\x00", "\ufeff", "\u202e", "\ud800", "é", "😀", "規則", "\r", "\r\n", "\t", "\u00a0", "\u2028"),
    *("\\", '"', '""', "'", "@", ";", "#", "..", "...", "+-", "±", "≤", "≠", "×", "--", "==", "=>", "<>"),
    *(
        "1e300 * 1e300",
        "1e999",
        "-1e-999",
        "nan",
        "9" * 400,
        "1" * 60,
        "0x10",
        "1_000",
        "٣",
        "1..2",
        "2..1",
        "0",
        "3",
        "/ 0",
    ),
    *("-", "+", "*", "/", ":", ",", "(", ")", "{", "}", "((((((((", "))))))))", "not " * 50, "a, " * 300),
    *("if a then " * 50, "(" * 3_000, "a + " * 300, "- " * 60, "rule ", "RULE", " weight 3 ", " level 2 "),
    *(" within 3 days ", " within 1e99 weeks ", " per 0 h ", " 3 days", "speed(a, 900)", "speed(a, -1e308)"),
    *(
        "²",
        "½",
        "Ⅳ",
        "\uff11",
        "\u22123",
        "\x1c",
        "\x85",
        "\u200b",
        "\u2066",
        "1e4299",
        "9" * 5_000,
        " +- 1e300",
    ),
    *("table(class, a){", "{(1, 2), (-)}", "{(< 1e999, 2..1)}", "exclusive hierarchy(a: ", "all different("),
    *(
        "AND(" * 30,
        "abs(" * 60,
        "exactly 1 of (" * 45,
        "class",
        "CLASS",
        "yes",
        " weight 1e-400 ",
        " level 9 ",
    ),
    *(" within 3 ", " before ", " in ", " is ", " of ", "exactly 2 of (", "a", "b", "x", "class", " = "),
)


@dataclass
class Tried:
    """What became of many texts.

    Attributes:
        rules: how many were read and bound.
        sentences: how many were answered with a sentence.
        crashes: (text, what happened) of those that raised anything else, or did not read back.
        slow: texts that took longer than LIMIT.
        slowest: the longest processor time of one, in seconds.
        seconds: all of them together.
        kinds: how often each kind of error came, by its first words.
    """

    rules: int = 0
    sentences: int = 0
    crashes: list[tuple[str, str]] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    slowest: float = 0.0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)


@cache
def corpus() -> tuple[tuple[str, Vocabulary], ...]:
    """Return every rule text that ships, each with a vocabulary that it is about."""
    blocks = re.findall(r"```\n(.*?)```", HELP.read_text(encoding="utf-8"), re.DOTALL)
    texts = [block for block in blocks if re.search(r"^rule\b", block, re.MULTILINE)]
    texts += [f"rule: {entry.example}\n" for entry in FORMS.values()]
    words = [example for offers in KEYWORDS.values() for _, _, example in offers]
    texts += [w if w.startswith("rule") else f"rule: {w}\n" for w in words]
    found = [(text, _spoken_of(text)) for text in texts]
    return (*found, *((pack.text, pack.vocabulary) for pack in packs().values()))


def mutated(rng: random.Random, text: str) -> str:
    """Return `text` with one to four changes: pieces taken out, doubled, swapped, or strange ones put in."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        text = rng.choice(_CHANGES)(rng, text)
    return text


def tried(text: str, vocabulary: Vocabulary) -> str:
    """Read, bind, lower, print and colour `text`, and complete it somewhere; return the error's words, or "".

    Raises:
        ValueError: an error is no sentence with a place, or what was printed reads back as something else.
    """
    reading = read(text)
    for error in reading.errors:
        _check(error)
    printed = print_rules(reading.statements)
    if not reading.errors and len(printed.encode(errors="replace")) < 200_000:
        again = read(printed)
        if again.errors or again.statements != reading.statements:
            raise ValueError(f"printed as {printed!r}")
    tokens(text)
    completions(text, len(text) // 2, vocabulary)
    try:
        rules = RuleSet.over(text, vocabulary)
        if len(text) < _LOWERED:
            lowered(parted(rules)[0])
    except PolybitError as error:
        _check(error)
        return error.what
    return ""


def try_all(count: int, seed: int = 0, most_bytes: int = 20_000) -> Tried:
    """Try `count` mutations of the corpus, each of at most `most_bytes` or so."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    done = Tried()
    began = time.perf_counter()
    for _ in range(count):
        text, vocabulary = rng.choice(corpus())
        text = mutated(rng, _some_rules(rng, text))[:most_bytes]
        start = time.process_time()
        try:
            with _limited(LIMIT):
                words = tried(text, vocabulary)
        except TimeoutError:
            done.slow.append(text)
        except Exception:  # noqa: BLE001 - the point of it all: anything but a sentence is a crash
            done.crashes.append((text, traceback.format_exc(limit=-3)))
        else:
            done.rules += not words
            done.sentences += bool(words)
            done.kinds[re.sub(r"'.*?'|\d+", "…", words)[:40]] += 1
        done.slowest = max(done.slowest, time.process_time() - start)
    done.seconds = time.perf_counter() - began
    return done


def main() -> int:
    """Try many texts and print what became of them."""
    parser = argparse.ArgumentParser(prog="python -m engine.bench.mutations", description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    done = try_all(options.count, options.seed)
    figures = {
        "texts": options.count,
        "rules": done.rules,
        "sentences": done.sentences,
        "crashes": len(done.crashes),
        "slow": len(done.slow),
        "slowest_ms": round(1_000 * done.slowest, 1),
        "seconds": round(done.seconds, 1),
        "kinds": dict(done.kinds.most_common(40)),
        "examples": [*done.crashes[:5], *((text, "slow") for text in done.slow[:5])],
    }
    print(json.dumps(figures, indent=1, ensure_ascii=True))  # noqa: T201
    return 1 if done.crashes or done.slow else 0


# Inside


def _check(error: PolybitError) -> None:
    words = str(error)
    if "\n" in words or not words.endswith((".", ")", "]", "}")) or len(words) > 2_000:
        raise ValueError(f"no sentence: {words!r}")
    large = "is the most" in error.what or "comes to more than" in error.what
    if isinstance(error, RuleError) and not large and not error.where.startswith("line "):
        raise ValueError(f"no place: {words!r}")


def _spoken_of(text: str) -> Vocabulary:
    """Return a vocabulary of all words of a text under which it binds, if some plain guess will do."""
    found = {p.text for p in pieces(text) if p.kind == "word" and not p.keyword and p.text[0].isalpha()}
    names = sorted(found - {"class"})
    guesses = [
        Vocabulary(tuple(Variable(name, kind, given, least=0, most=5) for name in names))
        for kind, given in _PLAIN
    ]
    guesses.append(Vocabulary((Variable("trace", "events", values=tuple(names) or ("a",)),)))
    mixed = [_mixed(name) for name in names]
    guesses.append(Vocabulary((*mixed, Variable("class", "category", values=("NAME", "unacc")))))
    for guess in guesses:
        try:
            RuleSet.over(text, guess)
        except RuleError:
            continue
        return guess
    return guesses[-1]


def _mixed(name: str) -> Variable:
    kind, given = _MIXED.get(name, ("flag", False))
    return Variable(name, kind, given, ("x", "y", "z") if kind == "category" else (), least=0, most=5)


_PLAIN: tuple[tuple[Kind, bool], ...] = (("flag", False), ("integer", False), ("number", True))
_MIXED: dict[str, tuple[Kind, bool]] = {
    "a": ("integer", False),
    "b": ("category", False),
    "x": ("number", True),
    "TSH": ("number", True),
    "FTI": ("number", True),
}


def _some_rules(rng: random.Random, text: str) -> str:
    """Return a few rules of a long text."""
    rules = re.split(r"(?m)^(?=rule\b)", text)
    if len(rules) < 5:
        return text
    first = rng.randrange(len(rules) - 3)
    return "".join(rules[first : first + rng.randint(1, 3)])


def _place(rng: random.Random, text: str) -> tuple[int, int]:
    """Return where a piece or a few characters of a text begin and end."""
    found = list(pieces(text))
    if found and rng.random() < 0.7:
        first = rng.randrange(len(found))
        last = min(first + rng.choice((0, 0, 0, 1, 2, 5)), len(found) - 1)
        return found[first].start, found[last].end
    start = rng.randint(0, len(text))
    return start, min(len(text), start + rng.randint(0, 9))


def _taken_out(rng: random.Random, text: str) -> str:
    start, end = _place(rng, text)
    return text[:start] + text[end:]


def _doubled(rng: random.Random, text: str) -> str:
    start, end = _place(rng, text)
    times = rng.choice((1, 1, 2, 30))
    return text[:end] + (" " + text[start:end]) * times + text[end:]


def _swapped(rng: random.Random, text: str) -> str:
    (a, b), (c, d) = sorted((_place(rng, text), _place(rng, text)))
    return text if b > c else text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _put_in(rng: random.Random, text: str) -> str:
    start, end = _place(rng, text)
    end = rng.choice((start, end))
    return text[:start] + rng.choice(_STRANGE) + text[end:]


def _from_another(rng: random.Random, text: str) -> str:
    other = _some_rules(rng, rng.choice(corpus())[0])
    (a, b), (c, d) = _place(rng, text), _place(rng, other)
    return text[:a] + other[c:d] + text[rng.choice((a, b)) :]


def _cased(rng: random.Random, text: str) -> str:
    start, end = _place(rng, text)
    return text[:start] + rng.choice((str.upper, str.lower, str.swapcase))(text[start:end]) + text[end:]


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


_CHANGES = (_taken_out, _taken_out, _doubled, _swapped, _put_in, _put_in, _from_another, _cased, _cut)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what takes longer, where the system has timers."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


if __name__ == "__main__":
    raise SystemExit(main())
