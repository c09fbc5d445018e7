"""bnn/vote.py: what a vote gives, whose sample a record is in, and that members learn apart."""

from dataclasses import replace

import numpy as np
import pytest
from gradients import assert_gradients
from tests_wiring import wired

from engine.bnn.vote import Vote, drawn
from engine.catalog import NODES
from engine.files.project import Project, probed, save_project
from engine.node import Moment, ShapeError
from engine.ports import Spec
from engine.settings import Training
from engine.train.loop import train
from engine.train.progress import EpochDone, Finished

SCORES, LABELS = Spec("scores", (3,), classes=("a", "b", "c")), Spec("labels", (), classes=("a", "b", "c"))
SPECS = (SCORES, SCORES, None, SCORES, None, None, None, LABELS)
N = 6


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    made = [rng.standard_normal((N, 3)).astype(np.float32) if s is SCORES else None for s in SPECS[:-1]]
    return (*made, rng.integers(0, 3, N))


def probabilities(scores):
    e = np.exp(scores - scores.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def members(arrays):
    return [a for a in arrays[:-1] if a is not None]


def test_a_soft_vote_is_the_mean_of_probabilities(arrays):
    node = Vote()
    expected = np.log(np.mean([probabilities(s) for s in members(arrays)], 0))
    for got in (node.predictor({}, *SPECS)(*arrays)[0], node.operator({}, N, *SPECS).execute(*arrays)[0]):
        assert np.allclose(got, expected, atol=1e-5)
        assert np.allclose(np.exp(got).sum(1), 1, atol=1e-5)


def test_a_hard_vote_counts_members_and_breaks_ties_by_their_mean(arrays):
    got = Vote(how="hard").predictor({}, *SPECS)(*arrays)[0]
    answers = [s.argmax(1) for s in members(arrays)]
    mean = np.mean([probabilities(s) for s in members(arrays)], 0)
    for row in range(N):
        counts = np.bincount([a[row] for a in answers], minlength=3)
        best = [c for c in range(3) if counts[c] == counts.max()]
        assert got[row].argmax() == max(best, key=lambda c: mean[row, c])
        assert np.array_equal(np.floor(got[row] + 1e-6), counts)


def test_trained_together_the_gradient_is_that_of_the_soft_vote(arrays):
    assert_gradients(Vote(training="together"), SPECS, arrays)


def test_records_of_no_sample_pull_on_the_vote(arrays):
    """As where gradients are checked: the training part says nothing of them."""
    assert_gradients(Vote(training="apart"), SPECS, arrays)


def test_trained_apart_each_member_learns_its_own_sample(arrays):
    node = Vote(seed=5)
    operator = node.operator({}, N, *SPECS)
    places = np.array([4, 0, 11, 2, 7, 300])
    operator.moment = Moment(places=places)
    operator.execute(*arrays)
    back = operator.gradient(np.ones((N, 3), np.float32))
    assert [g is None for g in back] == [a is None for a in arrays[:-1]] + [True]
    labels = arrays[-1]
    for member, (scores, grad) in enumerate(
        (s, g) for s, g in zip(arrays[:-1], back[:-1], strict=True) if s is not None
    ):
        target = np.eye(3)[labels]
        counts = drawn(5, member, places)[:, None]
        assert np.allclose(grad, counts * (probabilities(scores) - target) / N, atol=1e-6)


def test_a_sample_holds_each_record_as_often_as_poisson_says():
    places = np.arange(200_000)
    counts = drawn(0, 0, places)
    shares = [(counts == k).mean() for k in range(5)]
    assert np.allclose(shares, np.exp(-1) / np.array([1, 1, 2, 6, 24]), atol=0.004)
    assert counts.mean() == pytest.approx(1, abs=0.01)
    assert counts.var() == pytest.approx(1, abs=0.02)


def test_samples_differ_by_member_and_seed_and_never_by_batch():
    places = np.arange(1000)
    counts = drawn(3, 1, places)
    assert np.array_equal(counts[500:], drawn(3, 1, places[500:]))
    for other in (drawn(3, 2, places), drawn(4, 1, places)):
        assert 0.2 < (counts == other).mean() < 0.45  # as if independent: sum of P(k)^2 is 0.31
        assert abs(np.corrcoef(counts, other)[0, 1]) < 0.1


def test_members_of_other_classes_and_missing_labels_are_refused():
    four = Spec("scores", (4,))
    with pytest.raises(ShapeError, match="same classes"):
        Vote().specs(SCORES, four, *(None,) * 5, LABELS)
    with pytest.raises(ShapeError, match="need the labels"):
        Vote().specs(SCORES, SCORES, *(None,) * 6)
    assert Vote(training="together").specs(SCORES, SCORES, *(None,) * 6)[0].classes == SCORES.classes


def ensemble(data_file, how, training):
    n = NODES
    nodes = {"data": n["data.npz"](path="data.npz"), "split": n["flow.split"](), "flat": n["flow.flatten"]()}
    wires = ["data.samples -> split.samples", "data.labels -> split.labels", "split.samples -> flat.in"]
    for name in "abc":
        nodes[f"hidden {name}"] = n["bnn.dense"](units=24)
        nodes[f"norm {name}"] = n["bnn.batch_norm"]()
        nodes[f"head {name}"] = n["bnn.dense"](units=3)
        wires += [
            f"flat.out -> hidden {name}.in",
            f"hidden {name}.out -> norm {name}.in",
            f"norm {name}.out -> head {name}.in",
            f"head {name}.out -> vote.{name}",
        ]
    nodes |= {"vote": Vote(how=how, training=training), "out": n["flow.output"]()}
    wires += ["split.labels -> vote.labels", "vote.scores -> out.scores", "split.labels -> out.labels"]
    ordered = {**{k: v for k, v in nodes.items() if k != "out"}, "out": nodes["out"]}
    settings = Training(epochs=6, batch=32, rate=0.01)
    path = data_file.parent / "ensemble.polybit"
    return probed(save_project(Project(graph=wired(ordered, wires), training=settings), path))


@pytest.mark.parametrize(("how", "training"), [("soft", "apart"), ("hard", "apart"), ("soft", "together")])
def test_an_ensemble_learns_and_ships(data_file, how, training):
    records = list(train(ensemble(data_file, how, training)))
    finished = records[-1]
    assert isinstance(finished, Finished)
    assert finished.accuracy >= 0.85
    (last,) = [r for r in records if isinstance(r, EpochDone)][-1:]
    assert 0 < last.metrics["vote: agreed"] <= 1
    answer = finished.program.answer
    x = np.random.default_rng(1).standard_normal((7, 6, 6)).astype(np.float32)
    together = answer(finished.program.records(x)).scores
    alone = np.concatenate([answer(finished.program.records(r[None])).scores for r in x])
    assert together.tobytes() == alone.tobytes()


def test_a_whole_and_a_resumed_training_draw_the_same_samples(data_file):
    project = ensemble(data_file, "soft", "apart")
    two = replace(project, training=replace(project.training, epochs=2))
    weights = []
    for _ in range(2):
        (*_, finished) = train(two)
        weights.append(finished.program.packed["hidden a"]["weight"].tobytes())
    assert weights[0] == weights[1]
