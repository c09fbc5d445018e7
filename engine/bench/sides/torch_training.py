"""PyTorch's side of training: eager float32 with straight-through signs, as people train 1-bit networks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from .mnist import images, labels
from .serving import Work, serve


class Sign(torch.autograd.Function):
    """sign(x), with the clipped straight-through estimator."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * (x.abs() <= 1)


class SignLayer(nn.Module):
    """The sign between two layers."""

    def forward(self, x: Any) -> Any:
        return Sign.apply(x)


class BinaryLinear(nn.Linear):
    """A product with the signs of its weights."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, bias=False)
        limit = math.sqrt(6 / (inputs + outputs))
        nn.init.uniform_(self.weight, -limit, limit)

    def forward(self, x: Any) -> Any:
        return functional.linear(x, Sign.apply(self.weight))


class BinaryConv(nn.Conv2d):
    """A 3 x 3 convolution with the signs of its weights."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        limit = math.sqrt(6 / (9 * (inputs + outputs)))
        nn.init.uniform_(self.weight, -limit, limit)

    def forward(self, x: Any) -> Any:
        return functional.conv2d(x, Sign.apply(self.weight), padding=1)


def mlp() -> Any:
    """Return the 1-bit MLP 784-1024-1024-10."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in ((784, 1024), (1024, 1024)):
        layers += [BinaryLinear(inputs, outputs), nn.BatchNorm1d(outputs), SignLayer()]
    return nn.Sequential(*layers, BinaryLinear(1024, 10), nn.BatchNorm1d(10))


def cnn() -> Any:
    """Return the CNN 32-64-128, its first and last layer floats."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(32), SignLayer()),
        *(BinaryConv(32, 64), nn.MaxPool2d(2), nn.BatchNorm2d(64), SignLayer()),
        *(BinaryConv(64, 128), nn.BatchNorm2d(128), SignLayer()),
        *(nn.Flatten(), nn.Linear(128 * 7 * 7, 10, bias=False), nn.BatchNorm1d(10)),
    )


def make(job: dict[str, Any]) -> Work:
    """Return the work of one step of Adam on `job["batch"]` records."""
    torch.set_num_threads(job["cores"])
    torch.manual_seed(0)
    x, y = torch.from_numpy(images(job["folder"])), torch.from_numpy(labels(job["folder"]))
    model = {"mlp": mlp, "cnn": cnn}[job["network"]]()
    adam = torch.optim.Adam(model.parameters(), lr=0.005)
    latent = [m.weight for m in model.modules() if isinstance(m, BinaryLinear | BinaryConv)]

    def step() -> None:
        rows = torch.randint(0, len(x), (job["batch"],))
        loss = functional.cross_entropy(model(x[rows]), y[rows])
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        for weight in latent:
            weight.data.clamp_(-1, 1)

    return step


if __name__ == "__main__":
    serve(make)
