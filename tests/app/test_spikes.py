"""The spikes panel: the raster of the layer and record that were chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from panel_runs import begun, run_to_end
from pytestqt.qtbot import QtBot

from app.panels.spikes import SpikesPanel, side_by_side


def test_every_spiking_layer_and_record_can_be_chosen(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = SpikesPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.is_empty
    run_to_end(qtbot, trainer)
    assert not panel.is_empty
    assert [panel.nodes.itemText(i) for i in range(panel.nodes.count())] == ["encoder", "lif"]
    assert panel.nodes.currentText() == "lif"
    raster = panel.raster
    assert raster is not None
    assert panel.records.count() == len(raster.records) + 1
    panel.nodes.setCurrentIndex(0)
    panel.nodes.activated.emit(0)
    panel.records.setCurrentIndex(1)
    panel.records.activated.emit(1)
    assert panel.raster is not None
    spikes = len(panel.raster.of(0)[0])
    shown, _ = panel.chart._ticks.getData()
    assert len(shown) == 2 * spikes > 0


def test_all_records_stand_one_after_another(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = SpikesPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    document.select(["encoder"])
    raster = panel.raster
    assert raster is not None
    times, neurons = side_by_side(raster)
    assert len(times) == len(raster.times) == len(neurons)
    for place in range(len(raster.records)):
        part = (times // raster.steps) == place
        assert np.array_equal(times[part] % raster.steps, raster.of(place)[0])
    shown, _ = panel.chart._ticks.getData()
    assert len(shown) == 2 * len(raster.times) > 0
    assert len(panel.chart._borders) == len(raster.records)


def test_the_chosen_record_stays_while_new_looks_come(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = SpikesPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    panel.records.setCurrentIndex(2)
    panel.records.activated.emit(2)
    trainer.looked.emit()
    assert panel.records.currentIndex() == 2


def test_selecting_a_spiking_node_shows_it(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path, epochs=1)
    panel = SpikesPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    run_to_end(qtbot, trainer)
    document.select(["encoder"])
    assert panel.raster is not None
    assert panel.raster.node == "encoder"


def test_the_empty_state_tells_a_graph_without_spikes_apart(tmp_path: Path, qtbot: QtBot) -> None:
    document, trainer = begun(tmp_path)
    panel = SpikesPanel(document, trainer)
    qtbot.addWidget(panel)
    panel.show()
    assert "Press Train" in panel.empty.words()
    document.edit("Remove", document.graph.remove("encoder", "lif", "count", "spiking", "sum"))
    assert "LIF" in panel.empty.words()
