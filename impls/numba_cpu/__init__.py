"""Softmax cross entropy and its relatives as fused Numba kernels for the CPU, with the same bits on every processor.

    losses, normalised        what is called: arguments checked, results allocated
    launch                    threads, and what each kernel is given
    layout, rows              arrays of any strides as blocks of rows; a tile of a block with its classes side by side
    loss_kernels,             the kernels: a block of rows at a time
    softmax_kernels,
    index_kernels
    side_by_side,             16 rows at once, for few classes and for images
    softmax_side_by_side
    problem                   what is asked of a row
    statistics                maximum and sum of exponentials of a row, tile by tile
    tiles                     the innermost loops
    arithmetic                exponential, logarithm, sums
    vectors, memory           vectors of 16 lanes as a type of Numba's, read from and written to any storage
    compiling                 Numba's compiler and its cache
    recycled                  memory for large results

Ideas, each with its gain (float32, one core, AVX2, 2.45 GHz):

- The lanes are written down (`vectors`), not left to the compiler: sums are the same on every processor, and the loop over exponentials
  takes 38 instructions for 16 elements, 3.8 G elements/s where the compiler's own vectors reached 0.55.
- Of few classes, and of images, 16 rows are taken at once, a lane for each: at 16 classes 6 times as fast as a vector along each row
  in the loss, 3.6 times in softmax; softmax of images of 21 classes 3.6 times.
- Every sum has its order: 16 lanes, 16 terms each in the arithmetic format, all beyond in float64. No fastmath flag.
- Exponentials are kept in the second-level cache, so that the gradient multiplies them rather than computing them again.
- The next tile is fetched while exponentials of this one are summed, and large results are written past the caches (one core, 65 MB of
  logits: loss 5.8 to 4.3 ms, loss with gradient 10.7 to 8.2 ms).
- The memory of a large result is used again once nobody holds it: pages need not be cleared anew. Loss with gradient of 131 MB on two cores
  (AVX-512): 80 ms before, 44 ms with it.
- Threads take shares of rows as they come; block sums are added up in the rows' order whoever took them.

Nothing here needs Numba before the first call.
"""

from __future__ import annotations

import importlib.util

from xentfuzz.implementation import Implementation
from xentfuzz.impls import arguments
from xentfuzz.impls.numba_cpu.losses import cross_entropy, cross_entropy_backward, cross_entropy_value_and_grad, nll_loss, nll_loss_backward
from xentfuzz.impls.numba_cpu.normalised import log_softmax, log_softmax_backward, softmax, softmax_backward


def unavailable() -> str | None:
    """Why Numba cannot be used here, or None."""
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed; `pip install numba` brings it"
    return None


IMPLEMENTATIONS = tuple(
    Implementation(
        "numba-cpu",
        forward,
        backward=backward,
        value_and_grad=value_and_grad,
        operation=forward.__name__,
        dtypes=arguments.FLOAT_NAMES,
        supports=supports,
        grade="shift/pairwise",
        unavailable=unavailable,
    )
    for forward, backward, value_and_grad, supports in (
        (softmax, softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (log_softmax, log_softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (nll_loss, nll_loss_backward, None, arguments.NLL_LOSS_SUPPORT),
        (cross_entropy, cross_entropy_backward, cross_entropy_value_and_grad, arguments.CROSS_ENTROPY_SUPPORT),
    )
)
