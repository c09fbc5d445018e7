"""The measured lag of the window: figures in order, taken while a training runs, nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from small_projects import hybrid

from app.lag import main, measure_lag
from engine.errors import TrainError
from engine.files.project import save_project


def test_lag_is_measured_while_it_trains(tmp_path: Path, qtbot: QtBot) -> None:
    project = hybrid(tmp_path)
    assert project.path is not None
    lag = measure_lag(project.path, 2.0)
    assert lag.samples >= 5
    assert 0 <= lag.p50 <= lag.p95 <= lag.p99 <= lag.longest
    assert not (tmp_path / "small.run.h5").exists()


def test_a_project_that_cannot_be_trained_is_said(tmp_path: Path, qtbot: QtBot) -> None:
    project = hybrid(tmp_path)
    assert project.path is not None
    save_project(type(project)(graph=project.graph.remove("out")), project.path)
    with pytest.raises(TrainError, match="cannot be trained"):
        measure_lag(project.path, 0.1)


def test_lag_is_measured_while_rules_are_typed(
    tmp_path: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    project = hybrid(tmp_path)
    assert main([str(project.path), "--while", "type", "--seconds", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["while"] == "type"
    assert 0 <= told["p50"] <= told["p95"] <= told["p99"] <= told["longest"]
