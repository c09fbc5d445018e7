"""The float networks as ONNX models, for the sides that run ONNX: batch norm and ReLU instead of signs.

Weights are drawn at random: how fast a network runs does not depend on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET, _IR = 17, 10


class _Drawing:
    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        self._nodes: list[Any] = []
        self._arrays: list[Any] = []
        self._end = "x"

    def then(self, kind: str, *arrays: Any, **attributes: Any) -> None:
        names = [f"a{len(self._arrays) + i}" for i in range(len(arrays))]
        self._arrays += [numpy_helper.from_array(a, n) for a, n in zip(arrays, names, strict=True)]
        out = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, [self._end, *names], [out], **attributes))
        self._end = out

    def norm(self, channels: int) -> None:
        ones, noise = np.ones(channels, np.float32), self._rng.normal(0, 1, channels).astype(np.float32)
        self.then("BatchNormalization", ones, noise, noise, ones)

    def drawn(self, *shape: int) -> Any:
        return self._rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)

    def model(self) -> Any:
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])]
        outputs = [helper.make_tensor_value_info(self._end, TensorProto.FLOAT, ["n", 10])]
        graph = helper.make_graph(self._nodes, "network", inputs, outputs, self._arrays)
        return helper.make_model(graph, ir_version=_IR, opset_imports=[helper.make_opsetid("", _OPSET)])


def write(network: str, path: Path) -> None:
    """Write the float32 twin of `network`, `mlp` or `cnn`, to `path`."""
    d = _Drawing()
    if network == "mlp":
        d.then("Flatten")
        for inputs, outputs in ((784, 1024), (1024, 1024)):
            d.then("MatMul", d.drawn(outputs, inputs).T.copy())
            d.norm(outputs)
            d.then("Relu")
        d.then("MatMul", d.drawn(10, 1024).T.copy())
    else:
        for inputs, outputs, pooled in ((1, 32, True), (32, 64, True), (64, 128, False)):
            d.then("Conv", d.drawn(outputs, inputs, 3, 3), pads=[1, 1, 1, 1], kernel_shape=[3, 3])
            if pooled:
                d.then("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            d.norm(outputs)
            d.then("Relu")
        d.then("Flatten")
        d.then("MatMul", d.drawn(10, 128 * 49).T.copy())
    d.norm(10)
    onnx.save(d.model(), str(path))
