"""Calls and answers as messages: what an array is goes through the pipe, its bytes lie in the shared arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.subjects.outcome import Crash, NoResult, Raised
from xentfuzz.worker.callee import Answer
from xentfuzz.worker.libraries.library import Collected
from xentfuzz.worker.memory import Arena, aligned


def put_arrays(arena: Arena, arrays: Mapping[str, StridedArray]) -> tuple[dict[str, Any], int]:
    """Copies the storages into the arena, each once; gives the arrays' descriptions and where free memory begins."""
    storages = {id(array.storage): array.storage for array in arrays.values()}
    placed, offset = {}, 0
    for key, storage in storages.items():
        placed[key] = offset
        offset = aligned(offset + storage.size)
    arena.reach(offset)
    for key, storage in storages.items():
        arena.part(placed[key], storage.size)[:] = storage
    return {name: [placed[id(array.storage)], *_description(array)] for name, array in arrays.items()}, offset


def _description(array: StridedArray) -> tuple[Any, ...]:
    return array.storage.size, array.dtype, array.shape, array.strides, array.offset, array.writeable


def arrays_in(arena: Arena, descriptions: Mapping[str, Any]) -> dict[str, StridedArray]:
    """The arrays that `put_arrays` described, over the arena's own memory."""
    return {
        name: StridedArray(arena.part(place, size), dtype, tuple(shape), tuple(strides), offset, writeable)
        for name, (place, size, dtype, shape, strides, offset, writeable) in descriptions.items()
    }


def answer_message(arena: Arena, answer: Answer, free: int) -> dict[str, Any]:
    """Copies the results into the arena from `free` on and describes the answer."""
    results = None if answer.results is None else _put_results(arena, answer.results, free)
    return {
        "results": results,
        "unsupported": answer.unsupported,
        "raised": None if answer.raised is None else asdict(answer.raised),
        "crash": None if answer.crash is None else asdict(answer.crash),
        "seconds": answer.seconds,
        "flushes": answer.flushes,
        "unusable": None if answer.unusable is None else asdict(answer.unusable),
    }


def _put_results(arena: Arena, results: Mapping[str, Any], free: int) -> dict[str, Any]:
    described = {}
    for name, result in results.items():
        if not isinstance(result, Collected):
            described[name] = result
            continue
        bits = result.bits
        arena.reach(free + bits.nbytes)
        np.ndarray(bits.shape, bits.dtype, arena.part(free, bits.nbytes).data if bits.size else None)[...] = bits
        described[name] = [free, bits.nbytes, result.dtype, bits.shape]
        free = aligned(free + bits.nbytes)
    return described


def answer_in(arena: Arena, message: Mapping[str, Any]) -> Answer:
    """The answer that `answer_message` described, its arrays copied out. Raises ValueError, LookupError or TypeError for garbage."""
    raised, crash, unusable = message["raised"], message["crash"], message["unusable"]
    return Answer(
        None if message["results"] is None else {name: _taken(arena, result) for name, result in message["results"].items()},
        message["unsupported"],
        None if raised is None else Raised(tuple(raised["types"]), raised["message"], raised["traceback"]),
        None if crash is None else Crash(crash["kind"], crash["message"]),
        message["seconds"],
        message["flushes"],
        None if unusable is None else NoResult(unusable["kind"], unusable["message"]),
    )


def _taken(arena: Arena, result: Any) -> Any:
    if not isinstance(result, list):
        return result
    place, size, dtype, shape = result
    arena.reach(place + size)
    bits = arena.part(place, size).copy().view(numpy_dtype(dtype)).reshape(shape)
    return Collected(bits, dtype)
