"""logic/marginals.py against sums over every assignment, and the gradient against finite differences."""

import itertools

import numpy as np
import pytest
from rule_sets import form_of, random_form

from engine.errors import RuleError
from engine.logic.marginals import Beliefs
from engine.logic.normal import AtLeast


def enumerated(form, chances):
    k = len(form.variables)
    every = np.array(list(itertools.product((False, True), repeat=k)), bool)
    allowed = every[form.holds(every).all(1)]
    weights = np.where(allowed[None], chances[:, None], 1 - chances[:, None]).prod(2)
    return weights.sum(1), (weights[:, :, None] * allowed[None]).sum(1)


def test_they_are_sums_over_every_allowed_assignment():
    rng = np.random.default_rng(0)
    impossible = 0
    for _ in range(60):
        k = int(rng.integers(1, 9))
        form = random_form(rng, k, int(rng.integers(0, k + 2)), given=int(rng.integers(0, k)))
        chances = rng.random((5, k))
        chances[:, : form.given] = chances[:, : form.given] < 0.5
        total, true = enumerated(form, chances)
        found = Beliefs(form)(chances)
        assert found.compliance == pytest.approx(total, abs=1e-12)
        sure = total > 0
        assert found.marginals[sure] == pytest.approx(true[sure] / total[sure, None], abs=1e-9)
        assert np.isfinite(found.marginals).all()
        impossible += int((~sure).sum())
    assert impossible


def test_the_gradient_of_the_semantic_loss_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    form = random_form(rng, 7, 9, planted=2)
    beliefs = Beliefs(form)
    logits = rng.standard_normal((3, 7))
    loss, gradient = beliefs.semantic_loss(logits)
    assert np.isfinite(loss).all()
    for v in range(7):
        step = np.zeros(7)
        step[v] = 1e-5
        slope = (beliefs.semantic_loss(logits + step)[0] - beliefs.semantic_loss(logits - step)[0]) / 2e-5
        assert gradient[:, v] == pytest.approx(slope, abs=1e-7)


def test_rules_that_nothing_keeps_and_rules_too_wide():
    dead = Beliefs(form_of(2, [AtLeast((1,), 1), AtLeast((-1,), 1)]))
    loss, gradient = dead.semantic_loss(np.zeros((1, 2)))
    assert np.isinf(loss).all()
    assert not gradient.any()
    wide = form_of(6, [AtLeast((1, 2, 3), 1), AtLeast((3, 4, 5), 1), AtLeast((1, 5, 6), 1)])
    with pytest.raises(RuleError, match="too closely"):
        Beliefs(wide, widest=1)
