"""Larq Compute Engine's side of inference, under an interpreter of its own (it wants an older NumPy).

LCE has no binary dense operator: the MLP runs as 1 x 1 convolutions, the documented way, every product XNOR.
The interpreter is LCE's own, on the floats of a batch it was converted for; the faster of its kernels serves.
"""

from __future__ import annotations

import time
from typing import Any

import larq
import larq_compute_engine as lce
import numpy as np
import tensorflow as tf
from larq_compute_engine.tflite.python import interpreter_wrapper_lite

from .serving import Work, serve

_LATENT: dict[str, Any] = {
    "kernel_quantizer": "ste_sign",
    "kernel_constraint": "weight_clip",
    "use_bias": False,
}
_BINARY: dict[str, Any] = {"input_quantizer": "ste_sign", **_LATENT}


def _mlp(batch: int) -> Any:
    keras, layers = tf.keras, larq.layers
    return keras.Sequential(
        [
            keras.layers.Input((1, 1, 784), batch_size=batch),
            layers.QuantConv2D(1024, 1, **_BINARY),
            keras.layers.BatchNormalization(),
            layers.QuantConv2D(1024, 1, **_BINARY),
            keras.layers.BatchNormalization(),
            layers.QuantConv2D(10, 1, **_BINARY),
            keras.layers.BatchNormalization(),
            keras.layers.Reshape((10,)),
        ]
    )


def _cnn(batch: int) -> Any:
    keras, layers = tf.keras, larq.layers
    return keras.Sequential(
        [
            keras.layers.Input((28, 28, 1), batch_size=batch),
            keras.layers.Conv2D(32, 3, padding="same", use_bias=False),
            keras.layers.MaxPool2D(),
            keras.layers.BatchNormalization(),
            layers.QuantConv2D(64, 3, padding="same", pad_values=1.0, **_BINARY),
            keras.layers.MaxPool2D(),
            keras.layers.BatchNormalization(),
            layers.QuantConv2D(128, 3, padding="same", pad_values=1.0, **_BINARY),
            keras.layers.BatchNormalization(),
            larq.quantizers.SteSign(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, use_bias=False),
            keras.layers.BatchNormalization(),
        ]
    )


def make(job: dict[str, Any]) -> Work:
    """Return the work of running the 1-bit network on `job["batch"]` records, by LCE's faster kernel."""
    network = {"mlp": _mlp, "cnn": _cnn}[job["network"]](job["batch"])
    model = lce.convert_keras_model(network)
    rng = np.random.default_rng(0)
    works = []
    for indirect in (False, True):
        run = interpreter_wrapper_lite.LiteInterpreter(model, job["cores"], False, indirect, True)
        x = [rng.standard_normal(run.input_shapes[0]).astype(np.float32)]
        works.append(lambda run=run, x=x: run.predict(x))
    return min(works, key=_seconds)


def _seconds(work: Work) -> float:
    times = []
    for _ in range(20):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


if __name__ == "__main__":
    serve(make)
