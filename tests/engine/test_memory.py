"""The class memory: its rules, its answers, and the scale of its scores."""

import numpy as np
import pytest

from engine.errors import TrainError
from engine.hdc.calibration import fitted_scale
from engine.hdc.codes import random_codes, signs_of
from engine.hdc.memory import ClassMemory
from engine.hdc.retraining import RULES
from engine.kernels.bits import pack_signs
from engine.node import ShapeError
from engine.ports import Spec

D = 1000
SPECS = (Spec("hypervector", (D,)), Spec("labels", classes=("a", "b", "c")))


def noisy(seed, n, flip):
    """Return packed vectors of three classes that share 700 of 1,000 bits; `flip` of the bits are turned."""
    rng = np.random.default_rng(seed)
    centres = np.where(
        np.arange(D) < 700, signs_of(random_codes(rng, 1, D), D), signs_of(random_codes(rng, 3, D), D)
    )
    rng = np.random.default_rng([seed, n])
    labels = rng.integers(0, 3, n)
    x = np.where(rng.random((n, D)) < flip, -centres[labels], centres[labels]).astype(np.float32)
    out = np.empty((n, 16), np.uint64)
    pack_signs(x, out)
    return out, labels


def learned(node, vectors, labels, seed=0):
    weights = node.start(np.random.default_rng(0), *SPECS)
    accuracies = list(node.learn(weights, labels, np.random.default_rng(seed), vectors, labels))
    return weights, accuracies


def answers(node, weights, vectors):
    return node.predictor(node.pack(weights, *SPECS), *SPECS)(vectors, None)[0]


@pytest.mark.parametrize("rule", list(RULES))
def test_every_rule_learns_classes_it_has_not_seen_the_records_of(rule):
    node = ClassMemory(rule=rule, rounds=4)
    weights, accuracies = learned(node, *noisy(1, 200, 0.3))
    assert len(accuracies) == (1 if rule == "single" else 4)
    assert accuracies == sorted(accuracies)
    vectors, labels = noisy(1, 300, 0.3)
    assert (answers(node, weights, vectors).argmax(1) == labels).mean() > 0.95


@pytest.mark.parametrize("rule", [r for r in RULES if r != "single"])
def test_every_correction_beats_the_plain_bundle_on_its_training_records(rule):
    vectors, labels = noisy(2, 400, 0.45)
    plain = learned(ClassMemory(rule="single"), vectors, labels)[1][-1]
    assert plain < 0.99
    assert learned(ClassMemory(rule=rule), vectors, labels)[1][-1] > plain


def test_a_single_pass_is_the_majority_of_each_class():
    vectors, labels = noisy(3, 61, 0.2)
    weights, _ = learned(ClassMemory(rule="single"), vectors, labels)
    votes = np.stack([signs_of(vectors, D)[labels == c].sum(0) for c in range(3)])
    got = signs_of(ClassMemory().pack(weights)["prototypes"], D)
    np.testing.assert_array_equal(got[votes != 0], np.sign(votes)[votes != 0])


def test_an_empty_memory_scores_nothing():
    node = ClassMemory()
    scores = answers(node, node.start(np.random.default_rng(0), *SPECS), noisy(1, 4, 0.1)[0])
    assert scores.shape == (4, 3)
    assert not scores.any()


def test_stopping_after_a_round_leaves_a_usable_memory():
    vectors, labels = noisy(1, 100, 0.2)
    node = ClassMemory()
    weights = node.start(np.random.default_rng(0), *SPECS)
    first = next(node.learn(weights, labels, np.random.default_rng(0), vectors, labels))
    assert (answers(node, weights, vectors).argmax(1) == labels).mean() == first > 0.9


def test_records_without_a_class_are_passed_over():
    vectors, labels = noisy(1, 100, 0.2)
    known = np.arange(100) % 2 == 0
    half = learned(ClassMemory(), vectors[known], labels[known])[0]
    all_ = learned(ClassMemory(), vectors, np.where(known, labels, -1))[0]
    np.testing.assert_array_equal(half["counters"], all_["counters"])
    with pytest.raises(TrainError, match="No training record has a class"):
        learned(ClassMemory(), vectors, np.full(100, -1))


def test_a_record_scores_the_same_alone_as_in_a_batch():
    vectors, labels = noisy(1, 50, 0.3)
    node = ClassMemory(rounds=1)
    weights, _ = learned(node, vectors, labels)
    together = answers(node, weights, vectors)
    alone = np.concatenate([answers(node, weights, row[None]) for row in vectors])
    assert alone.tobytes() == together.tobytes()


def test_the_same_seed_learns_the_same_memory():
    data = noisy(4, 80, 0.4)
    one, two, other = (learned(ClassMemory(), *data, seed)[0]["counters"] for seed in (1, 1, 2))
    assert one.tobytes() == two.tobytes() != other.tobytes()


def test_scores_are_calibrated_to_how_often_the_answer_is_right():
    vectors, labels = noisy(5, 2000, 0.44)
    node = ClassMemory(rule="single")
    weights, (accuracy,) = learned(node, vectors, labels)
    scores = answers(node, weights, vectors).astype(np.float64)
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    assert 0.5 < accuracy < 0.97
    assert abs(p.max(1).mean() - accuracy) < 0.06


def test_the_fitted_scale_is_the_likeliest_of_a_grid():
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 4, 500)
    dots = rng.normal(0, 40, (500, 4)).astype(np.int32)
    dots[np.arange(500), labels] += 30
    grid = np.exp(np.linspace(-9, 0, 800))
    n, k = dots.shape
    target = np.full((n, k), 1 / (n + k))
    target[np.arange(n), labels] = (n + 1) / (n + k)
    logits = dots[None] * grid[:, None, None]
    top = logits.max(2, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(2, keepdims=True))
    best = grid[(target * log_p).sum((1, 2)).argmax()]
    assert fitted_scale(dots, labels) == pytest.approx(best, rel=0.02)


def test_labels_without_classes_are_refused_by_name():
    with pytest.raises(ShapeError, match="two classes or more") as error:
        ClassMemory().specs(SPECS[0], Spec("labels"))
    assert error.value.port == "labels"


def test_the_counted_storage_is_the_storage():
    node = ClassMemory()
    packed = node.pack(node.start(np.random.default_rng(0), *SPECS), *SPECS)
    assert node.cost(*SPECS).weight_bits == 8 * sum(a.nbytes for a in packed.values())
