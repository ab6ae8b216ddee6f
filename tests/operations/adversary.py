"""A search for the rows on which a kernel comes nearest to its bound: directed by the ratio itself, not drawn once.

A row is made of one class on top, a share of classes near it and the rest far from it, in some order, shifted as a whole: swamps, ties,
ascending and dominant rows, offsets are corners of it. The best rows of a generation are the parents of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Block
from xentfuzz.operations.grades import Grade

Array = np.ndarray[Any, Any]
Kernel = Mapping[str, Callable[..., Array]]

ORDERS = ("first", "last", "ascending", "descending", "alternating")
# near, far: distances from the top; width: of the noise on them; share: of near classes; offset: of the whole row.
RANGES = {"near": (0.0, 20.0), "far": (5.0, 100.0), "width": (0.0, 2.0), "share": (0.0, 1.0), "offset": (0.0, 10_000.0)}
GENES = tuple(RANGES)


@dataclass
class Worst:
    """ratio: the largest error / allowed error of any output. where: output and the row's genes."""

    ratio: float = 0.0
    where: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Adversary:
    """rows, generations: the size of the search. offset: the largest one that is tried."""

    dtype: str
    classes: int
    rows: int = 48
    generations: int = 6
    offset: float = 10_000.0
    probabilities: bool = False

    def search(self, kernel: Kernel, grade: Grade, seed: int) -> Worst:
        """kernel: "value" and perhaps "grad_logits" -> a function with the operation's arguments."""
        random = np.random.default_rng([seed, self.classes])
        worst = Worst()
        genes, orders, labels = self._corners(random)
        for _ in range(self.generations):
            ratios = self._ratios(kernel, grade, self._logits(random, genes, orders), labels, random, worst, (genes, orders, labels))
            best = np.argsort(-ratios)[: max(self.rows // 4, 1)]
            genes, orders, labels = self._children(random, genes[best], orders[best], labels[best])
        return worst

    def _corners(self, random: np.random.Generator) -> tuple[Array, Array, Array]:
        genes = np.stack([random.uniform(low, high, self.rows) for low, high in RANGES.values()], axis=1)
        # Ties, swamps and rows without an offset have no measure.
        depth = -np.log(np.finfo(np.float64 if self.dtype == "float64" else np.float32).eps / 2)
        genes[::3, GENES.index("far")] = depth + random.uniform(-1, 1, len(genes[::3]))
        genes[::2, GENES.index("width")] = 0
        genes[::4, GENES.index("near")] = 0
        genes[:, GENES.index("offset")] *= random.random(self.rows) < 0.3
        labels = np.where(random.random(self.rows) < 0.5, 0, random.integers(0, self.classes, self.rows))
        return genes, random.integers(0, len(ORDERS), self.rows), labels

    def _children(self, random: np.random.Generator, genes: Array, orders: Array, labels: Array) -> tuple[Array, Array, Array]:
        parents = random.integers(0, len(genes), self.rows)
        scale = np.array([high - low for low, high in RANGES.values()]) * 10.0 ** random.uniform(-4, -1, (self.rows, 1))
        moved = genes[parents] + random.normal(0, 1, (self.rows, len(GENES))) * scale * (random.random((self.rows, len(GENES))) < 0.5)
        # What is 0 is a corner that is worth keeping.
        moved = np.where((genes[parents] == 0) & (random.random(moved.shape) < 0.8), 0, moved)
        moved[: len(genes)] = genes
        lows, highs = np.array([low for low, _ in RANGES.values()]), np.array([high for _, high in RANGES.values()])
        mutated = random.random(self.rows) < 0.1
        orders = np.where(mutated, random.integers(0, len(ORDERS), self.rows), orders[parents])
        labels = np.where(mutated, random.integers(0, self.classes, self.rows), labels[parents])
        return np.clip(moved, lows, highs), orders, labels

    def _logits(self, random: np.random.Generator, genes: Array, orders: Array) -> Array:
        near, far, width, share, offset = genes.T[:, :, np.newaxis]
        places = np.arange(self.classes) / self.classes
        noise = random.normal(0, 1, (self.rows, self.classes)) * width
        x = np.where(places < share, -near, -far) + noise
        x[:, 0] = 0.0
        x -= x.max(axis=1, keepdims=True)
        for name, arrange in _ARRANGE.items():
            rows = orders == ORDERS.index(name)
            x[rows] = arrange(x[rows])
        limit = min(self.offset, 6e4 if self.dtype == "float16" else np.inf)
        return np.clip(x + np.minimum(offset, limit), -6e4, 6e4)

    def _ratios(
        self, kernel: Kernel, grade: Grade, x: Array, labels: Array, random: np.random.Generator, worst: Worst, genes: tuple[Array, ...]
    ) -> Array:
        case = self._case(x, labels, random)
        evaluation = get_operation("cross_entropy").evaluate(case)
        ratios = np.zeros(len(x))
        for output, function in kernel.items():
            arguments = {name: case.values[name] for name in ("logits", "target")}
            if output != "value":
                arguments = {"grad_output": case.values["grad_output"], **arguments}
            with np.errstate(all="ignore"):
                got = np.asarray(function(**arguments, reduction="none"))
            of_rows = np.concatenate([row_ratios(got, block) for block in evaluation.blocks(output, grade, got.dtype.name)])
            row = int(np.argmax(of_rows))
            if of_rows[row] > worst.ratio:
                where = dict(zip(GENES, genes[0][row].tolist(), strict=True))
                worst.ratio = float(of_rows[row])
                worst.where = {
                    "output": output,
                    "order": ORDERS[genes[1][row]],
                    "label": int(labels[row]),
                    "x": x[row, :4].tolist(),
                    **where,
                }
            ratios = np.maximum(ratios, of_rows)
        return ratios

    def _case(self, x: Array, labels: Array, random: np.random.Generator) -> Case:
        dtype = numpy_dtype(self.dtype)
        target: Array = labels
        if self.probabilities:
            target = random.random(x.shape) ** 4
            target = (target / target.sum(axis=1, keepdims=True)).astype(dtype)
        arrays = {"logits": x.astype(dtype), "target": target, "grad_output": np.ones(len(x), dtype)}
        options = {**get_operation("cross_entropy").defaults, "reduction": "none"}
        return Case("cross_entropy", self.dtype, {name: StridedArray.of(array) for name, array in arrays.items()}, options)


def row_ratios(got: Array, block: Block) -> Array:
    """The largest error / allowed error of each row; infinite for what is no number."""
    part = np.asarray(block.select(got)).astype(block.exact.dtype)
    with np.errstate(all="ignore"):
        error = np.where(part == block.exact, 0, np.abs(part - block.exact))
        ratio = np.nan_to_num(np.where(error == 0, 0.0, error / block.allowed).astype(float), nan=np.inf, posinf=np.inf)
    return ratio.reshape(len(ratio), -1).max(axis=1)


def _alternating(x: Array) -> Array:
    ordered = np.sort(x, axis=1)
    return np.concatenate([ordered[:, ::2], ordered[:, 1::2][:, ::-1]], axis=1)


_ARRANGE: dict[str, Callable[[Array], Array]] = {
    "last": lambda x: x[:, ::-1],
    "ascending": lambda x: np.sort(x, axis=1),
    "descending": lambda x: -np.sort(-x, axis=1),
    "alternating": _alternating,
}
