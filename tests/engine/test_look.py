"""look.py: what the panels show is what the program holds and says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import RULE, hybrid

from engine.files.project import open_project
from engine.graph import Graph
from engine.look import BLOCK, _density, _weight_map, look
from engine.precision import PRECISIONS
from engine.runtime.program import Program
from engine.train.loop import Run
from engine.train.progress import Finished
from engine.violations import agreement


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run of the small hybrid: the run and its program."""
    run = Run(hybrid(tmp_path_factory.mktemp("look"), epochs=2))
    end = next(r for r in run.steps() if isinstance(r, Finished))
    return run, end.program


def test_weights_are_those_of_the_packed_arrays_without_padding(trained):
    _, program = trained
    maps = {one.node: one for one in look(program, trained[0].validation).weights}
    hidden = maps["hidden"]
    assert (hidden.rows, hidden.columns, hidden.precision) == (40, 36, "1")
    levels = program.graph.node("hidden").weight_levels(program.packed["hidden"])[:, :36]
    seen = np.unpackbits(hidden.levels, axis=1)[:, :36].astype(int) * 2 - 1
    assert np.array_equal(seen, levels)
    assert hidden.shares == (float((levels < 0).mean()), 0.0, float((levels > 0).mean()))
    assert all(share >= 0 for one in maps.values() for share in one.shares)
    head = maps["head"]
    expected = program.graph.node("head").weight_levels(program.packed["head"])[:, :40]
    assert np.array_equal(head.levels, expected)
    assert set(np.unique(head.levels)) <= {-1, 0, 1}


def test_float_weights_keep_their_sign_and_say_their_largest(trained):
    _, program = trained
    spiking = next(one for one in look(program, trained[0].validation).weights if one.node == "spiking")
    floats = program.packed["spiking"]["weight"]
    assert spiking.largest == pytest.approx(float(np.abs(floats).max()))
    assert np.abs(spiking.levels).max() == 127
    assert np.allclose(spiking.levels / 127 * spiking.largest, floats, atol=spiking.largest / 250)


def test_a_raster_holds_every_spike_of_its_records(trained):
    run, program = trained
    seen = look(program, run.validation)
    rasters = {raster.node: raster for raster in seen.rasters}
    assert set(rasters) == {"encoder", "lif"}
    for name, raster in rasters.items():
        chosen = run.validation.take(np.array(raster.records))
        spikes = next(program.runs(chosen))[name, "out"]
        assert len(raster.times) == spikes.sum()
        for place in range(len(raster.records)):
            times, neurons = raster.of(place)
            assert spikes[place][times, neurons].all()
            assert len(times) == spikes[place].sum()
            assert (np.diff(times) >= 0).all()


def test_a_raster_names_a_record_of_every_class(trained):
    run, program = trained
    raster = look(program, run.validation).rasters[0]
    assert set(raster.labels) == set(program.classes)


def test_violations_say_what_was_broken_and_what_became_of_it(trained):
    run, program = trained
    seen = look(program, run.validation)
    answer = program.answer(run.validation)
    assert seen.guard
    assert seen.guard.raw == answer.violations_raw > 0
    assert seen.guard.left == answer.violations == 0
    assert len(seen.guard.cases) == seen.guard.raw
    for violation in seen.guard.cases:
        row = violation.record
        assert violation.said == answer.name(answer.raw_labels[row]) == program.classes[0]
        assert violation.fixed == answer.name(answer.labels[row]) != program.classes[0]
        assert violation.label == program.classes[run.validation.labels[row]]
        assert [rule.name for rule in violation.broken] == ["never_zero"]
        assert "tests want a violation" in violation.broken[0].reason
    (rule,) = seen.guard.rules
    assert (rule.name, rule.raw, rule.left) == ("never_zero", seen.guard.raw, 0)


def test_the_limit_bounds_what_is_explained_but_not_what_is_counted(trained):
    run, program = trained
    whole, cut = look(program, run.validation), look(program, run.validation, limit=1)
    assert len(cut.guard.cases) == 1
    assert cut.guard.raw == whole.guard.raw > 1


def test_confusion_counts_every_labelled_record_once(trained):
    run, program = trained
    seen = look(program, run.validation)
    answer = program.answer(run.validation)
    assert seen.confusion.sum() == len(run.validation)
    for label in range(3):
        of_it = run.validation.labels == label
        assert seen.accuracy(label) == pytest.approx((answer.labels[of_it] == label).mean())


def test_a_graph_without_rules_has_no_violations(tmp_path):
    project = hybrid(tmp_path, epochs=1)
    graph = project.graph.remove("rules").wire("sum", "out", "out", "scores")
    run = Run(type(project)(graph=graph, training=project.training, path=project.path))
    end = list(run.steps())[-1]
    seen = look(end.program, run.validation)
    assert seen.guard is None


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=40)
def test_density_is_the_mean_of_every_block(rows, columns, seed):
    levels = np.random.default_rng(seed).integers(-1, 2, (rows, columns)).astype(np.float32)
    density = _density(levels, 1.0)
    for i in range(density.shape[0]):
        for j in range(density.shape[1]):
            block = levels[i * BLOCK : (i + 1) * BLOCK, j * BLOCK : (j + 1) * BLOCK]
            assert density[i, j] == pytest.approx(block.mean(), abs=1e-6)


def test_large_maps_have_a_density_and_small_ones_none(tmp_path):
    graph: Graph = open_project(hybrid(tmp_path, units=300).path).graph
    rng = np.random.default_rng(0)
    large = _weight_map(graph, "hidden", rng.choice([-1.0, 1.0], (300, 64)).astype(np.float32))
    small = _weight_map(graph, "head", rng.choice([-1.0, 1.0], (3, 40)).astype(np.float32))
    assert large.density is not None
    assert large.density.shape == (38, 5)
    assert small.density is None
    assert large.high == small.high == PRECISIONS["1"].high
    assert RULE in graph.node("rules").rules


def _of_labels(trained, text: str):
    """The same program with a guard that takes each score for a label of its own."""
    _, program = trained
    graph = program.graph.change("rules", decides="labels", rules=text)
    return Program(graph, program.packed)


def test_broken_rules_over_several_labels_are_told_by_label(trained):
    run, _ = trained
    program = _of_labels(trained, 'rule one: exactly 1 of ("0" = yes, "1" = yes, "2" = yes)')
    seen = look(program, run.validation)
    assert seen.guard.left == 0
    for violation in seen.guard.cases:
        assert violation.fixed in ("0", "1", "2")
        assert violation.said != violation.fixed
        assert violation.status == "optimal"
        assert [rule.name for rule in violation.broken] == ["one"]
    positive = (program.answer(run.validation).raw_scores > 0).sum(1)
    assert seen.guard.raw == (positive != 1).sum() > 0


@pytest.mark.parametrize("several", [False, True])
def test_rc2_agrees_on_every_record(trained, several):
    run, program = trained
    if several:
        program = _of_labels(trained, 'rule one: at most 1 of ("0" = yes, "1" = yes, "2" = yes)')
    found = agreement(program, run.validation, 10)
    assert (found.sampled, found.solved, found.agreed) == (10, 10, 10)


def test_without_rules_there_is_nothing_to_agree_on(trained):
    run, program = trained
    graph = program.graph.remove("rules").wire("sum", "out", "out", "scores")
    assert agreement(Program(graph, program.packed), run.validation) is None
