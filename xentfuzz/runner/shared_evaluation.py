"""An evaluation whose blocks are kept while several implementations are held against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import prod

from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Block, Evaluation
from xentfuzz.operations.grades import Grade

# Above this many elements the blocks are made anew for every implementation, so that memory stays bounded.
LARGEST_KEPT = 1 << 16


@dataclass
class SharedEvaluation:
    """The same expectations as `inner`; those of small outputs are computed once for each (output, grade, dtype)."""

    inner: Evaluation
    kept: dict[tuple[str, Grade, str], list[Block]] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        return self.inner.case

    def outputs(self) -> tuple[str, ...]:
        return self.inner.outputs()

    def shape(self, output: str) -> tuple[int, ...]:
        return self.inner.shape(output)

    def blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        return iter(self._blocks(output, grade, dtype))

    def _blocks(self, output: str, grade: Grade, dtype: str) -> Iterable[Block]:
        if prod(self.shape(output)) > LARGEST_KEPT:
            return self.inner.blocks(output, grade, dtype)
        key = (output, grade, dtype)
        if key not in self.kept:
            self.kept[key] = list(self.inner.blocks(output, grade, dtype))
        return self.kept[key]
