"""Rules of every form over a small vocabulary, each beside what Python says that it means."""

from __future__ import annotations

from itertools import product

from engine.logic.vocabulary import Variable, Vocabulary

WORDS = Vocabulary(
    (
        Variable("x", "number", given=True),
        Variable("y", "number", given=True),
        Variable("h", "flag", given=True),
        Variable("grade", "category", given=True, values=("low", "high")),
        Variable("a", "integer", least=0, most=3),
        Variable("b", "integer", least=-1, most=2),
        Variable("c", "number", least=0, most=1, step=0.5),
        Variable("f", "flag"),
        Variable("g", "flag"),
        Variable("col", "category", values=("red", "blue", "high")),
        Variable("path", "events", values=("s", "t", "u")),
    )
)
ANSWERS = list(product(range(4), range(4), range(3), range(2), range(2), range(3)))
FACTS = [(1.0, 2.0, 1.0, 0.0), (-0.5, 3.0, 0.0, 1.0), (4.0, 0.0, 1.0, 1.0)]


def plain(record: tuple[float, ...], answer: tuple[int, ...]) -> dict[str, object]:
    x, y, h, grade = record
    a, b, c, f, g, col = answer
    values = {"a": a, "b": b - 1, "c": c / 2, "f": f, "g": g, "col": ("red", "blue", "high")[col]}
    return {"x": x, "y": y, "h": int(h), "grade": ("low", "high")[int(grade)], **values}


MEANINGS = [
    ("2*a + 3*b - c <= 4", "2*a + 3*b - c <= 4"),
    ("2*a + 3*b - c < 4", "2*a + 3*b - c < 4"),
    ("a = b + c", "a == b + c"),
    ("a != b + 2*c", "a != b + 2*c"),
    ("a < b", "a < b"),
    ("a = b", "a == b"),
    ("2 <= a", "2 <= a"),
    ("1 < a <= 2", "1 < a <= 2"),
    ("a * b <= 2", "a * b <= 2"),
    ("a * x > 2", "a * x > 2"),
    ("a + x <= y", "a + x <= y"),
    ("a + b + x >= y + 0.5", "a + b + x >= y + 0.5"),
    ("a - x = 2", "a - x == 2"),
    ("x + y <= 3", "x + y <= 3"),
    ("x * y - 1 > 0", "x * y - 1 > 0"),
    ("x / y >= 1", "y != 0 and x / y >= 1"),
    ("f + g + h <= 1", "f + g + h <= 1"),
    ("grade = col", "grade == col"),
    ("grade != col", "grade != col"),
    ("f = h", "f == h"),
    ("abs(a - b) <= 1", "abs(a - b) <= 1"),
    ("max(a, b) = 2 and min(x, y) < 1", "max(a, b) == 2 and min(x, y) < 1"),
    ("a in 1..2", "1 <= a <= 2"),
    ("c not in 0.25..0.75", "not 0.25 <= c <= 0.75"),
    ("x in -1..1.5", "-1 <= x <= 1.5"),
    ("a + b = 2 +- 1", "abs(a + b - 2) <= 1"),
    ("x != 1 +- 0.25", "abs(x - 1) > 0.25"),
    ("all different(a, b, c)", "len({a, b, c}) == 3"),
    ("all different(a, b + 1, 2 * c)", "len({a, b + 1, 2 * c}) == 3"),
    ("all different(x, y, a)", "len({x, y, a}) == 3"),
    ("all different(grade, col)", "grade != col"),
    ("all different(a, f)", "a != f"),
    ("all different(f, h, c)", "len({f, h, c}) == 3"),
    ("all different(x, f, a)", "len({x, f, a}) == 3"),
    ("all different(f, col)", "True"),
    ("all different(a, col, f)", "a != f"),
    ("f = a", "f == a"),
    ("f != x", "f != x"),
    ("table(a, col){(1, red), (2, -), (>= 3, {red, high}), (0..1, blue)}",
     "(a == 1 and col == 'red') or a == 2 or (a >= 3 and col != 'blue') or (a <= 1 and col == 'blue')"),
    ("table(x, f){(< 0, yes), (0..9, no)}", "(x < 0 and f) or (0 <= x <= 9 and not f)"),
    ("hierarchy(f: g, h)", "(f or not g) and (f or not h)"),
    ("exclusive hierarchy(f: g, h)", "(f or not g) and (f or not h) and not (g and h)"),
    ("exhaustive hierarchy(f: g, h)", "(f or not g) and (f or not h) and (not f or g or h)"),
    ("exclusive exhaustive hierarchy(f: g, h)", "g + h <= 1 and f == (g or h)"),
    ("f and g before h", "(f and g) or not h"),
    ("if h then f before g", "not h or f or not g"),
    ("IMPLIES(h, REQUIRE(f) BEFORE g)", "not h or f or not g"),
    ("f", "f"),
    ("not grade = low", "grade != 'low'"),
    ("1 + 2 <= 2", "False"),
]  # fmt: skip
