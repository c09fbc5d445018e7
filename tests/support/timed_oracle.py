"""What rules in time mean, counted out over pairs of events; nothing of the engine is used.

Stamps are numbers in seconds; `a`, `b` are sets of event types, `d` is a length of time in seconds.
"""

from __future__ import annotations

import itertools
import math


def where(s, events):
    return [i for i, e in enumerate(s) if e in events]


def response(s, t, a, b, d):
    return all(any(j > i and t[j] - t[i] <= d for j in where(s, b)) for i in where(s, a))


def precedence(s, t, a, b, d):
    return all(any(i < j and t[j] - t[i] <= d for i in where(s, a)) for j in where(s, b))


def alternate_response(s, t, a, b, d):
    def answered(i):
        for j in range(i + 1, len(s)):
            if s[j] in b:
                return t[j] - t[i] <= d
            if s[j] in a:
                return False
        return False

    return all(map(answered, where(s, a)))


def alternate_precedence(s, t, a, b, d):
    def prepared(j):
        ready = []
        for i in reversed(range(j)):
            if s[i] in b:
                break
            if s[i] in a:
                ready.append(i)
        return any(t[j] - t[i] <= d for i in ready)

    return all(map(prepared, where(s, b)))


def chain_response(s, t, a, b, d):
    return all(i + 1 < len(s) and s[i + 1] in b and t[i + 1] - t[i] <= d for i in where(s, a))


def chain_precedence(s, t, a, b, d):
    return all(j > 0 and s[j - 1] in a and t[j] - t[j - 1] <= d for j in where(s, b))


def gap(s, t, a, b, d):
    return all(t[j] - t[i] >= d for i in where(s, a) for j in where(s, b) if j > i)


def limit(s, t, a, times, d):
    """At most so many in any window [x, x + d)."""
    return all(sum(t[i] <= t[j] < t[i] + d for j in where(s, a)) <= times for i in where(s, a))


def quota(s, t, a, times, d):
    """At least so many from any event on, to d later, where the sequence goes on after that."""
    starts = [i for i in range(len(s)) if t[len(s) - 1] > t[i] + d]
    return all(sum(j >= i and t[j] <= t[i] + d for j in where(s, a)) >= times for i in starts)


def deadline(s, t, a, d):
    return any(t[i] - t[0] <= d for i in where(s, a))


def speed(s, t, a, most, places):
    here = where(s, a)
    return all(
        kilometres(places[i], places[j]) <= most * (t[j] - t[i]) / 3600 + 1e-6
        for i, j in itertools.pairwise(here)
    )


def kilometres(one, other):
    """By the law of cosines on unit vectors, not by haversine."""
    x, y = (
        (
            math.cos(math.radians(north)) * math.cos(math.radians(east)),
            math.cos(math.radians(north)) * math.sin(math.radians(east)),
            math.sin(math.radians(north)),
        )
        for north, east in (one, other)
    )
    cross = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
    return 6371.0088 * math.atan2(math.hypot(*cross), sum(p * q for p, q in zip(x, y, strict=True)))


PAIRS = {
    "response": response,
    "precedence": precedence,
    "alternate response": alternate_response,
    "alternate precedence": alternate_precedence,
    "chain response": chain_response,
    "chain precedence": chain_precedence,
}
PARTS = {
    "succession": ("response", "precedence"),
    "alternate succession": ("alternate response", "alternate precedence"),
    "chain succession": ("chain response", "chain precedence"),
}


def kept(name, s, t, places, *, a, b=None, times=1, d=0):
    """Whether a sequence keeps a call of a template in time."""
    if name in PARTS:
        return all(PAIRS[part](s, t, a, b, d) for part in PARTS[name])
    if name in PAIRS:
        return PAIRS[name](s, t, a, b, d)
    return {
        "gap": lambda: gap(s, t, a, b, d),
        "cooldown": lambda: gap(s, t, a, a, d),
        "limit": lambda: limit(s, t, a, times, d),
        "quota": lambda: quota(s, t, a, times, d),
        "deadline": lambda: deadline(s, t, a, d),
        "speed": lambda: speed(s, t, a, times, places),
    }[name]()
