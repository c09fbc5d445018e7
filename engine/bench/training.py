"""Training beside PyTorch: images a second, peak memory, and the time to the first batch."""

from __future__ import annotations

from statistics import median
from typing import Any

from .networks import mnist_folder
from .pairs import SUITES, Comparison, Row, Wanted, compare_timed, host
from .workers import Side, SideError

BATCH = 128
_LEAST = 0.3  # seconds of one side of a pair: some tens of steps
_TORCH = "PyTorch eager, float32 on signs"
_NUMPY = "NumPy float32 on signs"
NETWORKS = {"mlp": "MLP 784-1024-1024-10, 1 bit", "cnn": "CNN 32-64-128, 1 bit"}


@SUITES.option(
    "training", "Training", formula="images/s, peak memory and warm start of 1-bit networks on MNIST"
)
def training(wanted: Wanted) -> list[Row]:
    """Return the comparisons of training on one and two cores, or as many as are wanted."""
    folder = str(mnist_folder())
    rows: list[Row] = []
    for network, title in NETWORKS.items():
        job = {"network": network, "folder": folder, "batch": BATCH, "task": "training"}
        if wanted.peers:
            module, peer = "torch_training", _TORCH
        elif network == "mlp":
            module, peer = "numpy_mlp", _NUMPY
        else:
            wanted.note(f"{title}: it is measured beside PyTorch alone; add --peers.")
            continue
        try:
            # The first launch after an update compiles kernels, in time and memory that do not count.
            Side("ours_training", job, cores=1).close()
            rows.append(_warm_start(f"Warm start of training, {title}", job, module, peer, wanted))
            for cores in wanted.cores or (1, 2):
                rows += _throughput(f"Training, {title}", job, module, peer, wanted, cores)
        except SideError as error:
            wanted.note(f"{title} is left out: {error}")
    return rows


def _throughput(
    name: str, job: dict[str, Any], module: str, peer_name: str, wanted: Wanted, cores: int
) -> list[Row]:
    with Side("ours_training", job, cores=cores) as ours, Side(module, job, cores=cores) as peer:
        what = Comparison(name, peer_name, BATCH, "images/s", wanted.pairs, cores, _LEAST)
        rate = compare_timed(what, ours.time, peer.time)
        peaks = ours.peak_mb(), peer.peak_mb()
    wanted.note(f"{name}, cores {cores}: {rate.ratio:.2f} times {peer_name}.")
    memory = Row(
        f"Peak memory, {name[0].lower()}{name[1:]}",
        *peaks,
        peer_name,
        "MB",
        peaks[1] / peaks[0],
        1,
        cores,
        host(),
    )
    return [rate, memory]


def _warm_start(name: str, job: dict[str, Any], module: str, peer_name: str, wanted: Wanted) -> Row:
    """Return the seconds from the start of a process to its first trained batch."""

    def start(side: str) -> float:
        with Side(side, job, cores=1) as begun:
            return begun.ready

    pairs = min(wanted.pairs, 3)
    times = [(start("ours_training"), start(module)) for _ in range(pairs)]
    ours, peer = (median(column) for column in zip(*times, strict=True))
    return Row(name, ours, peer, peer_name, "s", median(b / a for a, b in times), pairs, 1, host())
