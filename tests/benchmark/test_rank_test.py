from __future__ import annotations

import itertools

import numpy as np
import pytest

from xentfuzz.benchmark.rank_test import EXACT_SIZE, rank_test


def by_enumeration(first: list[float], second: list[float]) -> float:
    """The share of all ways to deal the ranks that are as uneven."""
    pool, n = [*first, *second], len(first)

    def distance(chosen: tuple[int, ...]) -> float:
        others = [pool[index] for index in range(len(pool)) if index not in chosen]
        return abs(sum(pool[index] > other for index in chosen for other in others) - n * len(others) / 2)

    wanted = distance(tuple(range(n)))
    dealt = list(itertools.combinations(range(len(pool)), n))
    return sum(distance(chosen) >= wanted for chosen in dealt) / len(dealt)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sizes", [(3, 4), (5, 5), (2, 7)])
def test_small_samples_have_the_p_value_of_all_orders(seed: int, sizes: tuple[int, int]) -> None:
    generator = np.random.default_rng(seed)
    first, second = (generator.permutation(20)[:size].tolist() for size in sizes)
    second = [each + 0.5 for each in second]
    assert rank_test(first, second) == pytest.approx(by_enumeration(first, second))


def test_five_against_five_that_lie_apart_are_found_at_one_per_cent() -> None:
    assert rank_test([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(2 / 252)


def test_the_normal_distribution_goes_on_where_orders_are_no_longer_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=EXACT_SIZE).tolist(), generator.normal(0.4, size=EXACT_SIZE).tolist()
    exact = rank_test(first, second)
    monkeypatch.setattr("xentfuzz.benchmark.rank_test.EXACT_SIZE", 0)
    assert 0.8 < rank_test(first, second) / exact < 1.25


def test_equal_numbers_and_empty_samples_say_nothing() -> None:
    assert rank_test([1.0, 1.0], [1.0, 1.0, 1.0]) == 1.0
    assert rank_test([], [1.0]) == 1.0


@pytest.mark.parametrize("size", [8, 30])
def test_samples_of_one_distribution_are_told_apart_no_more_often_than_stated(size: int) -> None:
    generator = np.random.default_rng(size)
    found = sum(rank_test(*generator.exponential(size=(2, size)).tolist()) < 0.01 for _ in range(2000))
    # 20 are expected; more than 40 would have a probability of one in 100,000.
    assert found <= 40
