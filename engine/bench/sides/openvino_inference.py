"""OpenVINO's side of inference: int8 by NNCF's quantization after training.

The model has the shape of the batch, one stream and the hint for latency; the request is made once and reads
the array where it lies.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import openvino as ov

from . import onnx_networks
from .mnist import images
from .serving import Work, serve

_CALIBRATION = 300


def make(job: dict[str, Any]) -> Work:
    """Return the work of running the int8 network on `job["batch"]` records."""
    import nncf

    x = images(job["folder"], job["batch"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float32.onnx"
        onnx_networks.write(job["network"], path)
        model = ov.convert_model(str(path))
    shown = images(job["folder"], _CALIBRATION)
    model = nncf.quantize(model, nncf.Dataset([shown[i : i + 1] for i in range(_CALIBRATION)]))
    model.reshape([len(x), 1, 28, 28])
    settings = {
        "INFERENCE_NUM_THREADS": job["cores"],
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,
    }
    request = ov.Core().compile_model(model, "CPU", settings).create_infer_request()
    return lambda: request.infer({0: x}, share_inputs=True)


if __name__ == "__main__":
    serve(make)
