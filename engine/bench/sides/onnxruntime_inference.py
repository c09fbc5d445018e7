"""ONNX Runtime's side of inference: float32, and int8 quantized after training in its three ways.

All optimizations of the graph are on, as they are by default, and the session is called as programs do, with
an array that is there already. Static int8 stands in the graph as pairs of quantize and dequantize, which the
session fuses, or as operators of int8; weights have a step for each channel in both.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnxruntime as ort

from . import onnx_networks
from .mnist import images
from .serving import Work, serve

_CALIBRATION, _STEP = 512, 64


def make(job: dict[str, Any]) -> Work:
    """Return the work of running `job["kind"]` of a network on `job["batch"]` records."""
    x = images(job["folder"], job["batch"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float32.onnx"
        onnx_networks.write(job["network"], path)
        if job["kind"] != "float32":
            path = _quantized(path, job["kind"], job["folder"])
        options = ort.SessionOptions()
        options.intra_op_num_threads = job["cores"]
        options.inter_op_num_threads = 1
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def _quantized(path: Path, kind: str, folder: str) -> Path:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    whole, out = path.with_name("whole.onnx"), path.with_name("int8.onnx")
    quant_pre_process(str(path), str(whole))
    if kind == "int8 dynamic":
        quantize_dynamic(str(whole), str(out), weight_type=QuantType.QInt8)
        return out
    x = images(folder, _CALIBRATION)
    reader = _Reader(iter([{"x": x[at : at + _STEP]} for at in range(0, _CALIBRATION, _STEP)]))
    quantize_static(
        str(whole),
        str(out),
        reader,
        quant_format=QuantFormat.QOperator if kind == "int8 operators" else QuantFormat.QDQ,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    return out


class _Reader:
    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def get_next(self) -> Any:
        return next(self._batches, None)


if __name__ == "__main__":
    serve(make)
