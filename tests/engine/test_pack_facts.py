"""Shipped packs beside facts that are worked out here another way: a table, the calendar, games, results."""

from datetime import date, timedelta
from itertools import permutations, product

import numpy as np

from engine.logic.pack import Sample
from engine.logic.packs import pack_of
from engine.logic.ruleset import RuleSet
from engine.logic.trials import facts_of, values_of


def broken(key, samples):
    """Return the rules that each record breaks, by name."""
    pack = pack_of(key)
    rules = RuleSet.over(pack.text, pack.vocabulary)
    found = rules.broken(facts_of(pack.vocabulary, samples), values_of(pack.vocabulary, samples))
    return [{name for name, b in zip(rules.names, row, strict=True) if b} for row in found]


# 49 CFR 177.848(d) without the row and column of Division 1.6, which are blank, as the eCFR shows it:
# X never together, O apart, * by another table, . no restriction
SEGREGATION = """
explosive_1_1  * * * * X X X X X X X X X X X X X
explosive_1_3  * * * * X . X X X . X X X X X . X
explosive_1_4  * * * * O . O O O . O . . . O . O
explosive_1_5  * * * * X X X X X X X X X X X X X
gas_2_1        X X O X . . X O . . . . . . O O .
gas_2_2        X . . X . . . . . . . . . . . . .
gas_2_3_a      X X O X X . . . X X X X X X . . X
gas_2_3_b      X X O X O . . . O O O O O O . . O
liquid_3       X X O X . . X O . . . . O . X . .
solid_4_1      X . . X . . X O . . . . . . X . O
pyrophoric_4_2 X X O X . . X O . . . . . . X . X
wet_4_3        X X . X . . X O . . . . . . X . O
oxidizer_5_1   X X . X . . X O O . . . . . X . O
peroxide_5_2   X X . X . . X O . . . . . . X . O
poison_6_1_a   X X O X O . . . X X X X X X . . X
radioactive_7  X . . X O . . . . . . . . . . . .
corrosive_8    X X O X . . X O . O X O O O X . .
"""


def test_dangerous_goods_are_segregated_as_the_table_says():
    rows = [line.split() for line in SEGREGATION.strip().splitlines()]
    classes, pack = [row[0] for row in rows], pack_of("dangerous-goods")
    blank = {v.name: False for v in pack.vocabulary.decided}
    facts = {v.name: False for v in pack.vocabulary.given}
    pairs = [(a, b, cell) for a, *cells in rows for b, cell in zip(classes, cells, strict=True)]
    records = [
        Sample("", facts, blank | {a: True, b: True, "separated": apart})
        for a, b, _ in pairs
        for apart in (False, True)
    ]
    found = broken("dangerous-goods", records)
    for i, (a, b, cell) in enumerate(pairs):
        together, apart = found[2 * i : 2 * i + 2]
        assert bool(together) == (cell in "XO"), (a, b)
        assert bool(apart) == (cell == "X"), (a, b)


def test_weekdays_are_those_of_the_calendar():
    days = [date(2000, 1, 1) + timedelta(i) for i in range(36_525)]
    pack = pack_of("calendar-dates")
    months = {True: [6, 2, 3, 6, 1, 4, 6, 2, 5, 0, 3, 5], False: [0, 3, 3, 6, 1, 4, 6, 2, 5, 0, 3, 5]}
    records = []
    for day in days:
        leap, weekday = day.year % 4 == 0, (day.weekday() + 1) % 7
        codes = day.day % 7, months[leap][day.month - 1], (day.year % 100 + day.year % 100 // 4) % 7
        answer = {
            "day": day.day,
            "month": day.month,
            "leap": leap,
            "day_code": codes[0],
            "month_code": codes[1],
            "year_code": codes[2],
            "turns": (sum(codes) + 6) // 7,
            "weekday": weekday,
            "weekend": weekday in (0, 6),
            "quarter": (day.month + 2) // 3,
        }
        records.append(Sample("", {"year": day.year}, answer))
    assert days[-1] == date(2099, 12, 31)
    rules = RuleSet.over(pack.text, pack.vocabulary)
    facts, values = facts_of(pack.vocabulary, records), values_of(pack.vocabulary, records)
    assert not rules.broken(facts, values).any()
    wrong = values.copy()
    place = [v.name for v in pack.vocabulary.decided].index("weekday")
    wrong[:, place] = (values[:, place] + 1) % 7
    assert rules.broken(facts, wrong).any(1).all()


def test_seven_queens_have_forty_solutions():
    boards = list(permutations(range(7)))
    records = [
        Sample("", {}, {f"q{r + 1}{c + 1}": places[r] == c for r in range(7) for c in range(7)})
        for places in boards
    ]
    kept = [not names for names in broken("seven-queens", records)]
    free = [
        len({c - r for r, c in enumerate(b)}) == 7 == len({c + r for r, c in enumerate(b)}) for b in boards
    ]
    assert kept == free
    assert sum(kept) == 40


def test_small_sudokus_are_288():
    rows = list(permutations(range(1, 5)))
    boards = [
        board
        for board in product(rows, repeat=4)
        if all(len({row[c] for row in board}) == 4 for c in range(4))
    ]
    assert len(boards) == 576  # Latin squares
    records = [
        Sample("", {}, {f"r{r + 1}c{c + 1}": board[r][c] for r in range(4) for c in range(4)})
        for board in boards
    ]
    assert sum(not names for names in broken("sudoku-4x4", records)) == 288


def test_rows_of_real_group_tables_break_no_rule():
    rng = np.random.default_rng(1)
    matches = [(a, b) for a in range(4) for b in range(a)]
    records = []
    for _ in range(2_000):
        goals = rng.integers(0, rng.integers(1, 5), (6, 2))
        rows = np.zeros((4, 5), np.int64)  # won, drawn, lost, scored, conceded
        for (a, b), (x, y) in zip(matches, goals, strict=True):
            rows[a] += (x > y, x == y, x < y, x, y)
            rows[b] += (y > x, x == y, y < x, y, x)
        points = 3 * rows[:, 0] + rows[:, 1]
        order = np.lexsort((rng.random(4), -points))  # whatever breaks a tie
        for place, team in enumerate(order, 1):
            won, drawn, lost, scored, conceded = map(int, rows[team])
            answer = {
                "played": 3,
                "won": won,
                "drawn": drawn,
                "lost": lost,
                "goals_for": scored,
                "goals_against": conceded,
                "difference": scored - conceded,
                "points": int(points[team]),
                "place": place,
                "through": place <= 2,
            }
            records.append(Sample("", {}, answer))
    assert {name for names in broken("group-table", records) for name in names} == set()


def test_a_card_cannot_be_in_nashville_and_in_los_angeles_within_2_8_hours():
    # 2886.44 km by the haversine formula, as Rosetta Code's task works it out for a radius of 6371 km.
    usual = pack_of("card-fraud").samples[0]
    places = {"lat_1": 36.12, "lon_1": -86.67, "lat_2": 33.94, "lon_2": -118.40}
    trips = [Sample(str(h), usual.facts | places | {"hours": h}, usual.answer, True) for h in (2.83, 2.84)]
    assert broken("card-fraud", trips) == [{"impossible"}, set()]
