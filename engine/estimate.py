"""What a drawn graph will cost for one record, counted from its shapes and widths: no training, no guess."""

from __future__ import annotations

from dataclasses import dataclass, field

from .graph import Graph
from .node import Cost, Work
from .ports import words_for
from .precision import PRECISIONS, Precision

# Energy of one operation in picojoules, 45 nm, 0.9 V.
# M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, figure 1.1.9; the
# integer rows are the fits that QKeras draws through them (github.com/google/qkeras, qenergy config_public).
ENERGY_TABLE = "Horowitz 2014, 45 nm"
_FLOAT_ADD = {32: 0.9, 16: 0.4}
_FLOAT_MULTIPLY = {32: 3.7, 16: 1.1}
_ACCUMULATOR_BITS = 32
# Reading weights: a 64-bit access to an 8 KiB cache takes 10 pJ in the same table.
_READ_PER_BIT = 10.0 / 64


@dataclass(frozen=True)
class Figures:
    """Figures for one record.

    Attributes:
        weight_bits: storage of the shipped weights, in bits.
        operations: multiply-accumulates (an addition alone counts as one).
        steps: the same as the host does them: 64 products of 1 bit are one step.
        energy_pj: arithmetic and one read of every weight, in picojoules, under ENERGY_TABLE.
    """

    weight_bits: int = 0
    operations: int = 0
    steps: int = 0
    energy_pj: float = 0.0

    @property
    def weight_bytes(self) -> int:
        """Return the storage of the shipped weights, in bytes."""
        return -(-self.weight_bits // 8)

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.weight_bits + other.weight_bits,
            self.operations + other.operations,
            self.steps + other.steps,
            self.energy_pj + other.energy_pj,
        )


@dataclass(frozen=True)
class Estimate:
    """The figures of a graph.

    Attributes:
        total: for one record through all nodes.
        by_node: by node name; nodes whose shapes are not known are left out.
        source: where the figures come from; these are `counted`.
        energy_table: the table the energy is reckoned by.
    """

    total: Figures
    by_node: dict[str, Figures] = field(default_factory=dict)
    source: str = "counted"
    energy_table: str = ENERGY_TABLE


def estimate(graph: Graph) -> Estimate:
    """Return the figures of one record through `graph`."""
    by_node = {
        name: figures(graph.node(name).cost(*graph.input_specs(name)))
        for name in graph.order
        if graph.output_specs(name) or not graph.node(name).outputs
    }
    return Estimate(sum(by_node.values(), Figures()), by_node)


def figures(cost: Cost) -> Figures:
    """Return the figures of one node's counted cost."""
    energy = sum(work.count * _energy(work) for work in cost.work) + cost.weight_bits * _READ_PER_BIT
    operations = sum(work.count for work in cost.work)
    return Figures(cost.weight_bits, operations, sum(_steps(work) for work in cost.work), energy)


def _steps(work: Work) -> int:
    planes = [1 if row.binary else len(row.coefficients) for row in _rows(work)]
    return words_for(work.count) * planes[0] * planes[1] if all(planes) else work.count


def _energy(work: Work) -> float:
    rows = _rows(work)
    floats = [row.bits for row in rows if row.is_float]
    if any(row.binary for row in rows) and floats:
        return _FLOAT_ADD[max(floats)]
    if floats:
        return _FLOAT_MULTIPLY[max(floats)] + _FLOAT_ADD[max(floats)]
    bits = max(row.bits for row in rows)
    if bits == 1:
        return _multiply(1) + _add(1)
    return _multiply(bits) + _add(_ACCUMULATOR_BITS)


def _rows(work: Work) -> tuple[Precision, Precision]:
    return PRECISIONS[work.weight], PRECISIONS[work.activation]


def _add(bits: int) -> float:
    return 0.003125 * bits


def _multiply(bits: int) -> float:
    return 0.002995 * bits * bits + 0.00104 * bits
