"""train/penalties.py: rules as a term of the loss: its gradient through a graph, and what it changes."""

from dataclasses import replace

import numpy as np
import pytest
from small_projects import hybrid

from engine.errors import TrainError
from engine.files.project import open_project
from engine.logic.semantic import SemanticLoss
from engine.train.check import check_gradients
from engine.train.loop import train
from engine.train.progress import EpochDone, Finished


def learning(project, weight, **settings):
    return replace(project, training=replace(project.training, rule_weight=weight, **settings))


def trained(project):
    records = list(train(project))
    assert isinstance(records[-1], Finished)
    return records[-1], [r for r in records if isinstance(r, EpochDone)]


def test_the_gradient_of_a_graph_with_rules_is_that_of_finite_differences(projects, monkeypatch):
    project = learning(open_project(projects / "car" / "car.polybit"), 30.0)
    found = {check.node: check for check in check_gradients(project)}
    assert all(check.fine for check in found.values())
    assert found["Class scores"].compared > 0
    right = SemanticLoss.__call__

    def wrong(self, *inputs):
        loss, grad = right(self, *inputs)
        return loss, np.float32(2) * grad

    monkeypatch.setattr(SemanticLoss, "__call__", wrong)
    assert not {check.node: check for check in check_gradients(project)}["Class scores"].fine


def test_scores_that_learn_with_a_rule_break_it_less_often(tmp_path):
    # Every third record is of the class 0, which the rule forbids: the labels pull one way, the rule another.
    project = hybrid(tmp_path, epochs=4)
    plain, epochs = trained(learning(project, 0.0))
    assert not [k for e in epochs for k in e.metrics if k.startswith("rules: ")]
    kept, epochs = trained(learning(project, 5.0))
    assert epochs[-1].metrics["rules: kept"] > 0.9
    assert epochs[-1].metrics["rules: broken"] < 0.1
    assert plain.violations_raw > 5
    assert kept.violations_raw < plain.violations_raw / 3
    assert kept.violations == plain.violations == 0


def test_a_run_without_rules_to_learn_with_is_refused(binary_project, tmp_path):
    with pytest.raises(TrainError, match="no guard with rules corrects scores"):
        list(train(learning(binary_project, 1.0)))
    empty = hybrid(tmp_path, epochs=1, rule="")
    with pytest.raises(TrainError, match="no guard with rules corrects scores"):
        list(train(learning(empty, 1.0)))
