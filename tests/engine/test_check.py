"""train/check.py: right gradients pass, wrong ones are named, and what has no derivative is not judged."""

import json

import numpy as np
import pytest

from engine.bnn.batch_norm import BatchNormOperator
from engine.cli.main import main
from engine.files.project import open_project
from engine.train.check import ALLOWED, check_gradients


def by_node(project):
    return {check.node: check for check in check_gradients(project)}


def test_right_gradients_are_within_what_is_allowed(binary_project):
    found = by_node(binary_project)
    assert set(found) == {"hidden", "norm", "sign", "head"}
    for name in ("hidden", "norm", "head"):
        assert found[name].fine
        assert 0 <= found[name].error < ALLOWED
        assert found[name].compared >= 8
    assert found["sign"].compared == 0
    assert np.isnan(found["sign"].error)
    assert "compared as floats" in found["hidden"].remark
    assert found["norm"].remark == ""


@pytest.mark.parametrize(("name", "wrong"), [("gamma", "norm"), ("input", "hidden")])
def test_a_wrong_gradient_is_named(binary_project, monkeypatch, name, wrong):
    right = BatchNormOperator.gradient

    def gradient(self, *grads):
        back = right(self, *grads)
        if name == "input":
            return tuple(1.3 * g for g in back)
        for p in self.parameters():
            p.grad *= 1.3
        return back

    monkeypatch.setattr(BatchNormOperator, "gradient", gradient)
    found = by_node(binary_project)
    assert not found[wrong].fine
    assert found[wrong].error == pytest.approx(0.23, abs=0.1)
    assert [n for n, check in found.items() if not check.fine] == [wrong]


def test_a_kink_beside_a_record_is_no_fault(projects):
    """In this batch a number stands 5e-4 from where its hard tanh bends: larger steps step over the bend."""
    found = by_node(open_project(projects / "thyroid" / "thyroid.polybit"))
    assert max(check.error for check in found.values() if check.compared) < 0.01


def test_what_stands_before_spikes_is_not_judged(projects):
    found = by_node(open_project(projects / "digits" / "digits.polybit"))
    assert "behind an estimate" in found["LIF layer"].remark
    assert found["Class scores"].fine
    assert found["Class scores"].compared > 0


def test_the_command_line_says_it(binary_project, capsys, monkeypatch):
    path = str(binary_project.path)
    assert main(["check", path, "--gradients"]) == 0
    assert "is within 5% of finite differences" in capsys.readouterr().out
    assert main(["check", path, "--gradients", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["gradients"]
    assert {e["node"]: e["error"] is None for e in entries} == {
        "hidden": False,
        "norm": False,
        "sign": True,
        "head": False,
    }
    monkeypatch.setattr("engine.train.check.ALLOWED", 0.0)
    assert main(["check", path, "--gradients"]) == 1
    assert "differs from finite differences" in capsys.readouterr().out
