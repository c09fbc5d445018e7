"""Between floats and levels: the graph of a stage of float activations, and what begins when levels do."""

from __future__ import annotations

from ..bnn.weights import WEIGHT_QUANTIZERS
from ..files.store import Weights
from ..graph import Graph
from ..precision import PRECISIONS

TWIN = "floats"  # the hidden field of a node whose bits can be floats for a while


def with_float_activations(graph: Graph) -> Graph:
    """Return `graph` with every node that gives bits and has a float twin giving floats instead.

    Layers that took those bits as they came take the floats as they come. A node whose bits something else
    needs as bits stays as it is.
    """
    for name in graph.order:
        if TWIN in graph.node(name).about():
            after = _passing(graph.change(name, **{TWIN: True}), graph)
            if not any(p.level == "error" for p in after.problems()):
                graph = after
    return graph


def _passing(after: Graph, before: Graph) -> Graph:
    """Return `after` with the layers that took bits in `before` and take floats now not quantizing them."""
    for name in before.order:
        pairs = zip(before.input_specs(name), after.input_specs(name), strict=True)
        changed = any(a and b and (a.type, b.type) == ("bits", "real") for a, b in pairs)
        if changed and "activation_bits" in after.node(name).about():
            floats = {"activation_bits": "32", "activation_quantizer": "standard"}
            after = after.change(name, **{k: v for k, v in floats.items() if k in after.node(name).about()})
    return after


def start_weight_quantizers(graph: Graph, weights: Weights) -> None:
    """Start what weight quantizers learn (steps, scales) from the latent weights as they are now, in place.

    They were last started when the weights were fresh, and have been trained as floats since.
    """
    for name in graph.order:
        for node, arrays, inputs in graph.node(name).layers(weights[name], *graph.input_specs(name)):
            fields = node.values()
            if "weight_quantizer" in fields and "weight" in arrays:
                row = PRECISIONS[fields["weight_bits"]]
                kind = WEIGHT_QUANTIZERS.make(fields["weight_quantizer"])
                axes = node.kernel_shape(*inputs)
                for key, fresh in kind.start_kernels(row, arrays["weight"], axes).items():
                    arrays[key][...] = fresh
