"""Binary multi-head attention: 1-bit queries, keys and values, and attention that is 0 or 1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from ..fields import bit_width, whole
from ..hardware import gradient_products
from ..kernels.attention import attend
from ..kernels.bits import pack_signs
from ..kernels.curves import softmax
from ..node import Cost, Operator, Parameter, Predictor, ShapeError, Specs, Work, wired
from ..ports import F32, U64, Array, Arrays, Spec, words_for
from .linear import input_bits, weight_bits
from .maps import ShapeKeeper
from .projections import Projections, ShippedProjections, packed_projections, projection_arrays

_LEAST = np.float32(1e-5)
_QUERY, _KEY, _VALUE, _ATTENTION = range(4)


@dataclass(frozen=True)
class BinaryAttention(ShapeKeeper):
    """y = Wo c + bo, c = a_A a_V sum over tokens t of A_t sign(v_t), for each head.

    q, k, v = W x + b of the token x, quantized. A = 1 where P / a_A > 1/2, else 0, P = softmax over tokens of
    a_Q a_K sign(q) . sign(k) / sqrt(head size); the four a are learned. The products of queries and keys are
    XNOR and popcount, those of attention and values AND and popcount. Gradients pass signs where |x| <= a,
    attention where P <= a_A. Source: Liu et al. 2022 (BiT), arXiv:2205.13016: {-1, 1} for numbers of both
    signs, {0, 1} for those of a softmax, elastic scales with the gradient of LSQ (arXiv:1902.08153).

    Attributes:
        heads: how many attend apart.
        head_size: numbers of a query, a key and a value of one head.
        weight_bits: width of the four layers.
        activation_bits: width that their inputs are quantized to.
    """

    kind: ClassVar[str] = "bnn.attention"
    title: ClassVar[str] = "Binary attention"
    icon: ClassVar[str] = "ph.eye"
    order: ClassVar[int] = 430
    summary: ClassVar[str] = "Tokens look at one another through 1-bit queries, keys and values"
    citation: ClassVar[str] = "Liu et al. 2022, arXiv:2205.13016"

    heads: int = whole(4, 1, 256, "How many attend apart", unit="heads")
    head_size: int = whole(16, 1, 4096, "Numbers of a query, a key and a value of one head")
    weight_bits: str = bit_width("1", "Bits of each weight of the four layers")
    activation_bits: str = bit_width("1", "Bits that their inputs are quantized to")

    @property
    def inner(self) -> int:
        """Return the numbers of all heads together."""
        return self.heads * self.head_size

    def specs(self, *inputs: Spec | None) -> Specs:
        (spec,) = wired(inputs)
        if len(spec.shape) != 2:
            words = f"It takes tokens of (tokens, features); these are {spec.words()}."
            raise ShapeError(words, do="Wire it to a series, an embedding, or rows of an image.", port="in")
        return super().specs(spec)

    def cost(self, *inputs: Spec | None) -> Cost:
        (spec,) = wired(inputs)
        tokens, features = spec.shape
        weights, taken = self.weight_bits, self.activation_bits
        bits = sum(
            weight_bits(weights, "standard", m, k)
            + 32 * m
            + input_bits(Spec("real", (k,)), taken, "standard", m) * once
            for m, k, once in self._layers(features)
        )
        layers = Work(4 * tokens * features * self.inner, weights, taken)
        return Cost(bits + 4 * 32, (layers, Work(2 * tokens * tokens * self.inner, "1", "1")))

    def start(self, rng: np.random.Generator, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        return {
            **projection_arrays(rng, self.weight_bits, self.activation_bits, spec.shape[1], self.inner),
            "alpha": np.zeros(4, np.float32),  # 0 until the first batch says what it should be
        }

    def pack(self, weights: Arrays, *inputs: Spec | None) -> Arrays:
        (spec,) = wired(inputs)
        packed = packed_projections(
            weights, self.weight_bits, self.activation_bits, spec.shape[1], self.inner
        )
        return {**packed, "alpha": np.maximum(weights["alpha"], _LEAST)}

    def predictor(self, packed: Arrays, *inputs: Spec | None) -> Predictor:
        (spec,) = wired(inputs)
        tokens, features = spec.shape
        layers = ShippedProjections(packed, self.weight_bits, self.activation_bits, features, self.inner)
        factor, counts = self.factors(packed["alpha"])

        def predict(x: Array) -> tuple[Array, ...]:
            n = len(x)
            rows = np.ascontiguousarray(x, np.float32).reshape(-1, features)
            query, key, value = layers.first(rows)
            out = np.empty((n, tokens, self.heads, self.head_size), np.int32)
            shape = (n, tokens, self.heads, self.head_size)
            by_token = np.ascontiguousarray(value.reshape(shape).transpose(0, 2, 3, 1))
            attend(
                _signs(query.reshape(shape)),
                _signs(key.reshape(shape)),
                _signs(by_token),
                self.head_size,
                factor,
                out,
            )
            context = out.reshape(-1, self.inner).astype(np.float32) * counts
            return (layers.last(context).reshape(n, tokens, features),)

        return predict

    def operator(self, weights: Arrays, batch: int, *inputs: Spec | None) -> Operator:
        (spec,) = wired(inputs)
        return AttentionOperator(self, weights, batch, spec)

    def factors(self, alpha: F32) -> tuple[F32, np.float32]:
        """Return what a product of signs counts and a share's threshold, and what a sum of values counts."""
        a = np.maximum(alpha, _LEAST).astype(np.float32)
        product = a[_QUERY] * a[_KEY] / np.sqrt(np.float32(self.head_size))
        return np.array([product, a[_ATTENTION] / 2], np.float32), np.float32(a[_ATTENTION] * a[_VALUE])

    def rows(self) -> tuple[tuple[str, str], ...]:
        return (("Heads", f"{self.heads} of {self.head_size}"),)

    def _layers(self, features: int) -> tuple[tuple[int, int, int], ...]:
        """Return (outputs, inputs, whether its input counts here) of each layer: three share one."""
        inner = self.inner
        return ((inner, features, 1), (inner, features, 0), (inner, features, 0), (features, inner, 1))


class AttentionOperator(Operator):
    """Attention in training: the same bits forward, straight-through estimators backward."""

    def __init__(self, node: BinaryAttention, weights: Arrays, batch: int, spec: Spec) -> None:
        super().__init__(weights)
        self._node = node
        self._tokens, self._features = spec.shape
        self._layers = Projections(
            weights, node.weight_bits, node.activation_bits, self._features, node.inner, batch * self._tokens
        )
        self._grad_alpha = np.zeros(4, np.float32)
        nothing: F32 = np.empty(0, np.float32)
        self._real = self._signed = (nothing, nothing, nothing)
        self._shares = self._passing = nothing

    def parameters(self) -> tuple[Parameter, ...]:
        alpha = Parameter("alpha", self.weights["alpha"], self._grad_alpha, floor=float(_LEAST))
        return (*self._layers.parameters(), alpha)

    def execute(self, *inputs: Array) -> tuple[Array, ...]:
        (x,) = inputs
        n = len(x)
        self._layers.tell(self.moment, self.rng)
        rows = np.ascontiguousarray(x).reshape(-1, self._features)
        query, key, value = (self._by_head(a, n) for a in self._layers.first(rows))
        self._real = self._signed = (query, key, value)
        if self._quantized:
            self._start(query, key, value)
            query, key, value = (np.where(a >= 0, np.float32(1), np.float32(-1)) for a in self._real)
            self._signed = (query, key, value)
        scores = np.matmul(query, key.swapaxes(2, 3)) * self._factors()[0][0]
        self._shares = self._passing = np.empty_like(scores)
        softmax(scores.reshape(-1, self._tokens), self._shares.reshape(-1, self._tokens))
        if self._quantized:
            self._start_attention()
            self._passing = (self._shares > self._factors()[0][1]).astype(np.float32)
        context = np.matmul(self._passing, value) * self._factors()[1]
        return (self._layers.last(self._by_row(context)).reshape(x.shape),)

    def gradient(self, *grads: F32 | None) -> tuple[F32 | None, ...]:
        (grad,) = grads
        self._grad_alpha.fill(0)
        if grad is None:
            self._layers.stop()
            return (None,)
        n, alpha = len(grad), self._alpha
        d_context = self._by_head(self._layers.last_back(grad.reshape(-1, self._features)), n)
        query, key, value = self._signed
        product = partial(gradient_products, bfloat16=self.moment.bfloat16)
        d_attention = product(d_context, value.swapaxes(2, 3)) * alpha[_VALUE]
        d_value = product(self._passing.swapaxes(2, 3), d_context) * alpha[_ATTENTION]
        d_scores = self._through_softmax(d_attention, alpha[_ATTENTION])
        d_scores /= np.sqrt(np.float32(self._node.head_size))
        d_query = product(d_scores, key) * alpha[_KEY]
        d_key = product(d_scores.swapaxes(2, 3), query) * alpha[_QUERY]
        passed = [
            self._by_row(self._through_sign(i, d, alpha[i])) for i, d in enumerate((d_query, d_key, d_value))
        ]
        back = self._layers.first_back(*passed)
        return (back.reshape(grad.shape),)

    def metrics(self) -> dict[str, float]:
        """Return the share of tokens that a token attends to."""
        return {"attended": float(self._passing.mean())} if self._passing.size else {}

    @property
    def _quantized(self) -> bool:
        """Whether this stage quantizes; where not, it is attention of floats."""
        return self.moment.activations

    @property
    def _alpha(self) -> F32:
        return np.maximum(self.weights["alpha"], _LEAST) if self._quantized else np.ones(4, np.float32)

    def _factors(self) -> tuple[F32, np.float32]:
        return self._node.factors(self._alpha)

    def _through_sign(self, place: int, grad: F32, alpha: np.float32) -> F32:
        """Return dL/dx for `grad`, dL/d(alpha sign x), and note dL/dalpha."""
        if not self._quantized:
            return grad
        x, signed = self._real[place], self._signed[place]
        per = 1 / np.sqrt(x[0].size)
        self._grad_alpha[place] = np.float32((grad * signed).sum(dtype=np.float64) * per)
        passed: F32 = np.where(np.abs(x) <= alpha, grad, np.float32(0))
        return passed

    def _through_softmax(self, grad: F32, alpha: np.float32) -> F32:
        """Return dL/dscores for `grad`, dL/d(alpha A), and note dL/dalpha of the attention."""
        shares = self._shares
        d_shares = self._through_step(grad, alpha) if self._quantized else grad.copy()
        d_shares -= (d_shares * shares).sum(axis=-1, keepdims=True)
        d_shares *= shares
        return d_shares

    def _through_step(self, grad: F32, alpha: np.float32) -> F32:
        level = self._shares / alpha
        above = level > 1
        slope = np.where(above, np.float32(1), self._passing - level)
        per = 1 / np.sqrt(level[0].size)
        self._grad_alpha[_ATTENTION] = np.float32((grad * slope).sum(dtype=np.float64) * per)
        passed: F32 = np.where(above, np.float32(0), grad)
        return passed

    def _start(self, *real: F32) -> None:
        """Start the scales of queries, keys and values where they have not been: LSQ's 2 mean |x|, as BiT."""
        alpha = self.weights["alpha"]
        for place, x in enumerate(real):
            if alpha[place] <= 0:
                alpha[place] = max(2 * float(np.abs(x).mean()), _LEAST)

    def _start_attention(self) -> None:
        alpha = self.weights["alpha"]
        if alpha[_ATTENTION] <= 0:  # 4 mean P (BiT): the mean of a softmax is 1 / tokens
            alpha[_ATTENTION] = max(4 * float(self._shares.mean()), _LEAST)

    def _by_head(self, rows: F32, n: int) -> F32:
        """Return rows of tokens, (n x tokens, inner), as (n, heads, tokens, head size)."""
        node = self._node
        parted = rows.reshape(n, self._tokens, node.heads, node.head_size)
        return np.ascontiguousarray(parted.transpose(0, 2, 1, 3))

    def _by_row(self, heads: F32) -> F32:
        return np.ascontiguousarray(heads.transpose(0, 2, 1, 3)).reshape(-1, self._node.inner)


def _signs(x: F32) -> U64:
    """Return the signs of the last axis, packed: uint64 (..., words)."""
    flat = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
    words = np.empty((len(flat), words_for(x.shape[-1])), np.uint64)
    pack_signs(flat, words)
    return words.reshape(*x.shape[:-1], -1)
