"""How large cases are: as large as the profile has them where calls are fast, else as what calls take allows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xentfuzz.checks.trial import Affordable
from xentfuzz.recipes.space import Space
from xentfuzz.runner.deadline import ONE_CALL, ONE_CASE
from xentfuzz.subjects.cost import ELEMENT, ROW, Costs

FEWEST_ROWS = 4
FEWEST_ELEMENTS = 32


@dataclass(frozen=True)
class Sizing:
    """costs: what the calls of one subject were seen to take. seconds: that there are for the whole check of it."""

    costs: Costs
    seconds: float

    def fit(self, space: Space, calls: int = 1) -> Space:
        """The space with no larger cases than can be afforded; the same space where all can. calls: that a case makes."""
        dtype, usual, rare = space.dtype, ONE_CASE / calls, ONE_CALL / calls
        largest = self._most(dtype, ELEMENT, usual, space.largest, FEWEST_ELEMENTS)
        long = self._most(dtype, ELEMENT, rare, space.long, FEWEST_ELEMENTS)
        rows = [self._most(dtype, ROW, *limits, FEWEST_ROWS) for limits in ((usual, space.largest), (rare, space.long))]
        if rows == [space.largest, space.long]:
            return replace(space, largest=largest, long=long)
        declared = rows[0] if space.largest_row_count is None else space.largest_row_count
        return replace(space, largest=largest, long=long, largest_row_count=min(rows[0], declared))

    def of_many_calls(self, dtype: str, calls: int) -> Affordable:
        """The rows and the elements that each of so many calls may have."""
        seconds = ONE_CASE / calls * self.seconds
        rows, elements = (seconds / max(self.costs.rate(dtype, feature), 1e-12) for feature in (ROW, ELEMENT))
        return Affordable(rows, elements)

    def _most(self, dtype: str, feature: int, share: float, wanted: int, fewest: int) -> int:
        """`wanted` rows or elements where they add no more than that share of the time to a call, else a power of two that does not.

        A power of two, so that the cases that follow are alike while the figures settle.
        """
        affordable = share * self.seconds / max(self.costs.rate(dtype, feature), 1e-12)
        return wanted if affordable >= wanted else max(fewest, 1 << max(int(affordable).bit_length() - 1, 0))
