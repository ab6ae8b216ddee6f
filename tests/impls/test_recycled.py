"""The memory of large results is used again when nobody holds it, and never before."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from xentfuzz.impls.numba_cpu import recycled

FLOAT32 = np.dtype(np.float32)


def large(shape=(1024, 512)):
    return recycled.empty(shape, FLOAT32)


def place(array):
    return array.__array_interface__["data"][0]


def test_memory_that_nobody_holds_is_used_again():
    first = large()
    where = place(first)
    del first
    again = large((512, 1024))
    assert place(again) == where
    assert (again.shape, again.dtype, again.flags.c_contiguous, again.flags.writeable) == ((512, 1024), FLOAT32, True, True)


@pytest.mark.parametrize(
    "hold",
    [
        lambda array: array,
        lambda array: array[3:5, 2],
        lambda array: array.reshape(-1)[1:].view(np.uint8),
        memoryview,
        lambda array: [array.T],
    ],
    ids=["itself", "a view", "a view of another type", "its buffer", "in a list"],
)
def test_memory_that_somebody_holds_is_not(hold):
    first = large()
    where, held = place(first), hold(first)
    del first
    others = [large(), large()]
    assert where not in map(place, others)
    assert place(others[0]) != place(others[1])
    del held


def test_a_tensor_holds_it():
    torch = pytest.importorskip("torch")
    first = large()
    where, tensor = place(first), torch.from_numpy(first)
    del first
    assert place(large()) != where
    assert tensor.data_ptr() == where


def test_small_and_very_large_results_have_memory_of_their_own(monkeypatch):
    assert recycled.empty((4, 5), FLOAT32).flags.owndata
    monkeypatch.setattr(recycled, "LARGEST", 1 << 20)
    assert large().flags.owndata


def test_a_buffer_much_larger_than_needed_is_let_go():
    first = large((4096, 512))
    del first
    assert large().base.nbytes == 1024 * 512 * 4
    assert recycled._kept[0].nbytes == 1024 * 512 * 4


def test_threads_never_get_the_same_memory():
    held, failed = [], []

    def work(number):
        for _ in range(50):
            mine = large()
            mine[...] = number
            if not (mine == number).all():
                failed.append(number)
            held.append(mine)
            del mine
            held.pop(0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
