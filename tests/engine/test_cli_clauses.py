"""rules write: what other solvers find in the clauses is what the rules say."""

from itertools import product

import numpy as np
import pytest
from pysat.examples.rc2 import RC2
from pysat.formula import CNF, WCNF
from pysat.solvers import Solver

from engine.cli.main import main
from engine.logic.readers import read_rules

MODEL = """features
    Root
        alternative
            A
            B
        optional
            C
                [1..2]
                    D
                    E
                    F
constraints
    B => (D | F)
"""
PACK = """
[pack]
title = "Doses"
domain = "lab data"
text = "What a dose may be."
licence = "CC0-1.0"

[variables]
child = { kind = "flag", given = true }
weight = { kind = "number", given = true, least = 0, most = 200, unit = "kg" }
dose = { kind = "integer", least = 0, most = 4 }
kind = { kind = "category", values = ["tablet", "syrup"] }
night = { kind = "flag" }

[rules]
text = '''
rule small: if child and weight < 20 then dose <= 1
rule some: dose + night >= 2
rule form weight 1.5: if child then kind = syrup
rule less weight 0.5: 2 * dose <= 3
rule day weight 2 level 2: not night
'''
"""


def names_of(text):
    words = [line.split(" ", 3) for line in text.splitlines() if line.startswith("c variable")]
    return {name: int(number) for _, _, number, name in words}


def test_a_feature_model_has_the_same_products_as_clauses(tmp_path):
    (tmp_path / "model.uvl").write_text(MODEL)
    assert main(["rules", "write", str(tmp_path / "model.uvl"), "--out", str(tmp_path / "out.cnf")]) == 0
    text = (tmp_path / "out.cnf").read_text()
    rules = read_rules(str(tmp_path / "model.uvl")).rules
    names = [v.name for v in rules.vocabulary.decided]
    wanted = set()
    for answer in product((0, 1), repeat=len(names)):
        if not rules.broken(np.zeros((1, 0)), np.array([answer])).any():
            wanted.add(tuple(n for n, on in zip(names, answer, strict=True) if on))
    place = names_of(text)
    found = set()
    with Solver(bootstrap_with=CNF(from_string=text)) as solver:
        for model in solver.enum_models():
            found.add(tuple(n for n in names if model[place[n] - 1] > 0))
    assert found == wanted


@pytest.mark.parametrize("facts", [(1, 10.0), (1, 30.0), (0, 10.0), (1, None), (None, None)])
def test_soft_rules_cost_another_solver_as_much(tmp_path, facts):
    (tmp_path / "doses.toml").write_text(PACK)
    out = tmp_path / "out.wcnf"
    assert main(["rules", "write", str(tmp_path / "doses.toml"), "--out", str(out)]) == 0
    rules = read_rules(str(tmp_path / "doses.toml")).rules
    clauses, place = WCNF(from_string=out.read_text()), names_of(out.read_text())
    child, weight = facts
    for name, known, holds in (
        ("child = yes", child, child),
        ("weight < 20", weight, weight and weight < 20),
    ):
        for said, outcome in ((name, True), (f"not {name}", False)):
            if said in place:
                may = known is None or bool(holds) is outcome
                clauses.append([place[said] if may else -place[said]])
    with RC2(clauses) as solver:
        solver.compute()
        found = solver.cost
    row = [[np.nan if fact is None else float(fact) for fact in facts]]
    costs = [0, 0, 15_000, 5_000, 20_200]  # level 2 outweighs 1.5 + 0.5 by a hundredth
    least = 10**9
    for answer in product(range(5), range(2), range(2)):
        broken = rules.broken(np.array(row), np.array([answer]))[0]
        if not broken[:2].any():
            least = min(least, int(np.array(costs) @ broken))
    assert found == least


def test_clauses_written_again_are_the_same(tmp_path):
    (tmp_path / "doses.toml").write_text(PACK)
    one, two = tmp_path / "one.wcnf", tmp_path / "two.wcnf"
    assert main(["rules", "write", str(tmp_path / "doses.toml"), "--out", str(one)]) == 0
    assert main(["rules", "write", str(one), "--out", str(two)]) == 0
    assert sorted(one.read_text().split("\n")) == sorted(two.read_text().split("\n"))


@pytest.mark.parametrize(
    ("source", "out", "words"),
    [
        ("doses.toml", "out.cnf", "Write them as .wcnf."),
        ("doses.toml", "out.txt", "Clauses are written as .cnf or .wcnf"),
        ("none.toml", "out.cnf", "none.toml"),
        ("surgical-safety", "out.cnf", "Sequence guard"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, monkeypatch, capsys, source, out, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "doses.toml").write_text(PACK)
    assert main(["rules", "write", source, "--out", out]) != 0
    assert words in capsys.readouterr().err
    assert not (tmp_path / out).exists()
