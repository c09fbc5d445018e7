"""Examples with and without their rules: the pairs that `polybit bench rules` trains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bench import hybrids
from engine.bench.differences import difference_row
from engine.bench.pairs import Wanted
from engine.files.project import SUFFIX, open_project


def _short(path, epochs=4):
    project = open_project(path)
    return replace(project, training=replace(project.training, epochs=epochs))


def test_answers_before_repair_are_those_of_the_same_network_without_a_guard(projects):
    project = _short(projects / "car" / "car.polybit")
    wanted = Wanted(cores=(1,), note=lambda _: None)
    guarded = hybrids.judged(project, 3, 0.0, wanted)
    wires = project.graph.remove("Constraint guard").wire("Class scores", "out", "Answer", "scores")
    bare = hybrids.judged(replace(project, graph=wires), 3, 0.0, wanted)
    assert guarded.alone == bare.alone == bare.guarded
    assert bare.broken_alone == bare.broken == 0  # it has no rules to break
    assert guarded.records == bare.records == 173
    assert guarded.broken_alone > guarded.broken == 0
    assert guarded.guarded > guarded.alone


def test_rows_tell_the_paired_difference_and_every_broken_answer(monkeypatch):
    def judged(project, seed, weight, wanted):
        return hybrids.Judged(90.0 + seed, 92.0 + seed + weight * (seed % 2), 5, 0 if weight < 1 else 1, 100)

    monkeypatch.setattr(hybrids, "judged", judged)
    monkeypatch.setattr(hybrids, "TABLES", ("car",))
    rows = {row.name: row for row in hybrids.hybrid_rows(Wanted(pairs=3, note=lambda _: None))}
    title = "Hybrid, Car acceptability"
    row = rows[f"{title}, guard: +2.00 ± 0.00 points"]
    assert (row.ours, row.peer, row.pairs, row.cores, row.unit) == (93.0, 91.0, 3, 1, "% right")
    # differences 2, 3, 2: mean 7/3, deviation 0.577, and 4.303 of it over the root of three
    assert f"{title}, taught rules and guard: +2.33 ± 1.43 points" in rows
    row = rows[f"{title}, guard, answers that keep the rules: 0 broken, alone 15"]
    assert (row.ours, row.peer, row.ratio) == (300, 285, pytest.approx(300 / 285))
    assert (
        rows[f"{title}, taught rules and guard, answers that keep the rules: 3 broken, alone 15"].ours == 297
    )
    assert len(rows) == 6


def test_an_example_that_is_not_there_is_said(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr(hybrids, "EXAMPLES", tmp_path)
    assert hybrids.hybrid_rows(Wanted(note=told.append)) == []
    assert len(told) == len(hybrids.TABLES)
    assert f"car{SUFFIX} is not there" in told[0]


def test_every_table_is_an_example_whose_rules_are_wired(projects):
    for name in hybrids.TABLES:
        project = open_project(projects / name / f"{name}{SUFFIX}")
        kinds = [placed.node.kind for placed in project.graph.nodes.values()]
        assert "logic.rules" in kinds
        assert not project.graph.problems()


def test_one_pair_has_no_interval():
    assert difference_row("a", [2.0], [1.0], "b", Wanted()).name == "a: +1.00 points"
