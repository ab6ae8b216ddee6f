"""nll_loss and cross_entropy, with their gradients: arguments checked, placed and handed to the kernels.

A mean of the loss needs two launches, of the gradient one more before, which counts the kept rows; nothing of that waits for the device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.impls import arguments
from xentfuzz.impls.arguments import LossCall
from xentfuzz.impls.numba_cuda import driver, flags
from xentfuzz.impls.numba_cuda.formats import FORMATS, INDEX_KINDS
from xentfuzz.impls.numba_cuda.launch import Launcher, multiprocessors
from xentfuzz.impls.numba_cuda.layout import columns_shift, row_blocks
from xentfuzz.impls.numba_cuda.parts import RECORD
from xentfuzz.impls.numba_cuda.placement import Host, Place, Placed, placed, positions
from xentfuzz.impls.numba_cuda.settings import RowsLayout, for_rows, held_layout, rows_layout, shared_layout
from xentfuzz.impls.numba_cuda.simulation import SIMULATED, require_device

_MOST_COUNTING_BLOCKS = 32
_NO_DENOMINATOR = (0, 0, 0)
_FLAG_SIZE = 8
_WORD = 8
# Counting the rows to divide by takes each block longer then than a launch of its own would take.
_MOST_COUNTED_BY_EVERY_BLOCK = 1024


class LossRun:
    """One call of a loss or its gradient, on its way through the kernels.

    upstream: the gradient of the result, None for ones. wants_loss, wants_gradient: what is asked for.
    """

    def __init__(self, place: Place, call: LossCall, upstream: Placed | None, *, wants_loss: bool, wants_gradient: bool) -> None:
        self.place, self.call, self.upstream = place, call, upstream
        self.launcher = Launcher(place, call.dtype.name)
        self.launcher.know(call.first, call.target, call.weight, upstream)
        self.mean = call.reduction == "mean"
        self.flag = flags.take()
        self.flag_address = flags.address(self.flag)
        self.launcher.know_address(self.flag_address, _FLAG_SIZE)
        self.loss: tuple[Placed, Callable[[], Any]] | None = self.launcher.empty(call.loss_shape, call.dtype) if wants_loss else None
        self.gradient: tuple[Placed, Callable[[], Any]] | None = self.launcher.empty(call.shape, call.dtype) if wants_gradient else None
        self.records: Placed | None = None
        self.reduced = False  # whether a kernel has summed the losses already
        self.shrunk = False  # whether the kernel shrinks what it sums
        self._lay_out()

    def _lay_out(self) -> None:
        """Addresses and strides, as kernels take them."""
        call = self.call
        rows_of, self.class_stride = call.first.matrix(call.class_axis)
        zeros = (0,) * len(rows_of.shape)
        gradient, gradient_stride = self.gradient[0].matrix(call.class_axis) if self.gradient else (None, 0)
        soft, soft_stride = call.target.matrix(call.class_axis) if call.probabilities else (None, 0)
        per_row = [
            rows_of,
            gradient,
            soft,
            None if call.probabilities else call.target,
            self.loss[0] if self.loss and call.reduction == "none" else None,
            self.upstream,
        ]
        strides = [array.strides if array is not None and array.shape == rows_of.shape else zeros for array in per_row]
        self.shape, joined = positions(rows_of.shape, *strides)
        tuples = [(0 if array is None else array.address, *of) for array, of in zip(per_row, joined, strict=True)]
        self.matrix, self.out = (*tuples[0], self.class_stride), (*tuples[1], gradient_stride)
        self.soft, self.losses, self.above = (*tuples[2], soft_stride), tuples[4], tuples[5]
        self.target = (*tuples[3], 0 if call.probabilities else INDEX_KINDS[call.target.dtype.name])
        self.weight = (0, 0) if call.weight is None else (call.weight.address, call.weight.strides[0])
        self.sizes = (call.rows, call.classes, call.ignore_index)
        self.columns_shift = columns_shift(
            self.launcher.settings.threads, call.dtype.itemsize, max(call.rows, 1), call.classes, self.class_stride
        )

    @property
    def side_by_side(self) -> bool:
        """Whether the kernels for rows whose classes lie side by side, all rows equally far apart, can take it."""
        size, call = self.call.dtype.itemsize, self.call
        out_fits = self.gradient is None or self.out[4] == size
        return (self.class_stride == size or call.classes == 1) and out_fits and self.shape[0] * self.shape[1] == 1

    def row_arguments(self) -> tuple[tuple[int, ...], ...]:
        """The first arguments of kernels for rows that are equally far apart."""
        return (
            (self.matrix[0], self.matrix[3]),
            (self.out[0], self.out[3]),
            (self.target[0], self.target[3], self.target[4]),
            self.weight,
            (self.losses[0], self.losses[3]),
            (self.above[0], self.above[3]),
            self.sizes,
        )

    def divisor(self) -> tuple[int, int, int]:
        """What the gradient is divided by, as kernels take it; launches the count of the kept rows where that is needed."""
        if not self.mean or self.gradient is None:
            return _NO_DENOMINATOR
        if self.call.probabilities:
            return 0, -self.call.rows, 0
        which = self.launcher.specialisation("denominator")
        blocks = min(_MOST_COUNTING_BLOCKS, -(-self.call.rows // which.threads))
        records = self.launcher.scratch(blocks * RECORD)
        self.launcher.run(which, (blocks, 1), self.target, self.weight, self.shape, self.sizes, records.address, self.flag_address)
        return records.address, blocks, int(self.weight[0] != 0)

    def records_for(self, blocks: int) -> int:
        """Memory for the records of so many blocks, where the losses are to be summed, else 0."""
        if self.loss is None or self.call.reduction == "none":
            return 0
        self.records = self.launcher.scratch(blocks * RECORD)
        return self.records.address

    def reduce(self) -> None:
        """Launch the sum of the records, if any are wanted."""
        if self.loss is None or self.call.reduction == "none" or self.reduced:
            return
        address, count = (self.records.address, self.records.shape[0] // RECORD) if self.records else (0, 0)
        rows = self.call.rows if self.call.probabilities else -1
        sizes = (count, int(self.mean), int(self.weight[0] != 0), rows, int(self.shrunk))
        self.launcher.run(self.launcher.specialisation("total"), (1, 1), address, self.loss[0].address, sizes)

    def finish(self, *, check: bool) -> tuple[Any, Any]:
        """Loss and gradient, as far as wanted. Raises IndexError for a class out of range."""
        if not self.call.probabilities and self.call.rows:
            self._look_at_flag(check=check)
        return self.loss[1]() if self.loss else None, self.gradient[1]() if self.gradient else None

    def _look_at_flag(self, *, check: bool) -> None:
        call = self.call
        if not check:
            flags.leave(self.flag, f"logits of shape {call.shape}, class indices of shape {call.positions}")
            return
        if not SIMULATED:
            driver.synchronize(self.place.stream)
        if flags.is_set(self.flag):
            arguments.class_indices(replace(call, target=call.target.to_host()))


def _checked(place: Place, call: LossCall) -> None:
    """Raises IndexError for a class out of range of this call, where its target is on the host, or of an earlier unchecked one."""
    late = flags.found_late()
    if late is not None:
        raise IndexError(f"target: a class index out of range was given in an earlier call with check=False: {late}")
    if isinstance(place, Host) and not call.probabilities:
        arguments.class_indices(replace(call, target=call.target.to_host()))


def _run_nll_loss(run: LossRun) -> None:
    call, launcher = run.call, run.launcher
    if run.gradient is not None:
        divisor = run.divisor()
        which = launcher.specialisation("nll_loss_backward")
        blocks = row_blocks(launcher, which, call.rows, run.columns_shift)
        launcher.run(
            which, (blocks, 1), run.target, run.weight, run.above, run.out, run.shape, run.sizes, run.columns_shift, divisor,
            run.flag_address,
        )  # fmt: skip
        return
    which = launcher.specialisation("nll_loss")
    blocks = min(-(-call.rows // which.threads), launcher.capacity(which))
    records = run.records_for(blocks)
    launcher.run(which, (blocks, 1), run.matrix, run.target, run.weight, run.losses, run.shape, run.sizes, records, run.flag_address)


def _run_cross_entropy(run: LossRun) -> None:
    call = run.call
    plain = not call.probabilities and call.label_smoothing == 0.0
    run.shrunk = plain and call.weight is None
    rows_only = plain and run.side_by_side
    if rows_only:
        run.launcher.settings = for_rows(FORMATS[call.dtype.name], gradient=run.gradient is not None)
    if rows_only and _run_held(run):
        return
    divisor = run.divisor()
    if rows_only:
        _run_rows(run, divisor)
        return
    launcher = run.launcher
    which = launcher.specialisation("cross_entropy")
    blocks = row_blocks(launcher, which, call.rows, run.columns_shift)
    records = run.records_for(blocks)
    launcher.run(
        which, (blocks, 1), run.matrix, run.out, run.soft, run.target, run.weight, run.losses, run.above, run.shape, run.sizes,
        run.columns_shift, divisor, records, run.flag_address, 1.0 - call.label_smoothing, call.label_smoothing / call.classes,
    )  # fmt: skip


def _run_held(run: LossRun) -> bool:
    """As `_run_rows`, for long rows that are held in registers; False where they cannot be, or need not, without a gradient."""
    call, launcher, settings = run.call, run.launcher, run.launcher.settings
    floating = FORMATS[call.dtype.name]
    if floating.real is not np.float32 or settings.held == 0:
        return False
    few = rows_layout(settings, floating, call.rows, call.classes, multiprocessors()).pieces > 1
    if run.gradient is None and not (settings.held_loss and few):
        return False
    which = launcher.specialisation("held_loss" if run.gradient is None else "held_loss_and_gradient")
    capacity = launcher.capacity(which)
    layout = held_layout(settings, floating, call.rows, call.classes, capacity)
    if layout is None:
        return False
    waiting = layout.pieces > 1
    blocks = min(call.rows, max(1, capacity // layout.pieces))
    own_count = run.mean and run.gradient is not None and call.rows <= _MOST_COUNTED_BY_EVERY_BLOCK
    divisor = (0, 1, 0) if own_count else run.divisor()
    words, ending = 0, (0, 0, 0)
    if waiting:
        count = call.rows * layout.pieces
        words = launcher.scratch((count + blocks) * _WORD).address
        driver.fill_with_ones(words, (count + blocks) * _WORD // 4, run.place.stream)
        if run.loss is not None and call.reduction != "none":
            ending = (words + count * _WORD, run.loss[0].address, int(run.mean))
            run.reduced = True
    launcher.run(
        which,
        (blocks, layout.pieces),
        *run.row_arguments(),
        layout.per_piece,
        (words, *divisor, 0 if waiting else run.records_for(blocks), run.flag_address),
        ending,
        together=waiting,
    )
    return True


def _run_rows(run: LossRun, divisor: tuple[int, int, int]) -> None:
    """Class indices and no smoothing, rows side by side: in one launch, or in two where a row is shared by several blocks."""
    call, launcher = run.call, run.launcher
    floating = FORMATS[call.dtype.name]
    if run.gradient is not None and floating.real is np.float32 and not SIMULATED:
        # Its statistics are a word of 64 bits; the simulator runs one block after the other, so that none may wait for another.
        layout = shared_layout(launcher.settings, floating, call.rows, call.classes, multiprocessors())
        if layout.pieces > 1:
            words = launcher.scratch(call.rows * layout.pieces * 8).address
            driver.fill_with_ones(words, call.rows * layout.pieces * 2, run.place.stream)
            _launch_rows(run, "shared_loss_and_gradient", layout, divisor, statistics=words, pieces_before=0)
            return
    layout = rows_layout(launcher.settings, floating, call.rows, call.classes, multiprocessors())
    kernel = "loss" if run.gradient is None else "loss_and_gradient"
    if layout.pieces == 1:
        _launch_rows(run, kernel, layout, divisor, statistics=0, pieces_before=0)
        return
    statistics = launcher.scratch(call.rows * layout.pieces * 2 * floating.real(0).itemsize).address
    _launch_rows(run, "pieces", layout, divisor, statistics=statistics, pieces_before=0)
    whole_rows = RowsLayout(min(layout.width_shift, 5), 1, layout.per_piece * layout.pieces)
    finishing = whole_rows if run.gradient is None else layout
    _launch_rows(run, f"finish_{kernel}", finishing, divisor, statistics=statistics, pieces_before=layout.pieces)


def _launch_rows(
    run: LossRun, kernel: str, layout: RowsLayout, divisor: tuple[int, int, int], *, statistics: int, pieces_before: int
) -> None:
    launcher, settings = run.launcher, run.launcher.settings
    which = launcher.specialisation(kernel)
    tiles = -(-run.call.rows // layout.groups(settings))
    waves = 1 if kernel.startswith("shared") else settings.waves
    blocks = min(tiles, max(1, waves * launcher.capacity(which) // layout.pieces))
    records = 0 if kernel == "pieces" else run.records_for(blocks)
    launcher.run(
        which,
        (blocks, layout.pieces),
        *run.row_arguments(),
        (layout.width_shift, pieces_before, layout.per_piece),
        (statistics, *divisor, records, run.flag_address),
        together=kernel.startswith("shared"),
    )


def _call(
    kernels: Callable[[LossRun], None], place: Place, call: LossCall, upstream: Any, *, wants_loss: bool, wants_gradient: bool, check: bool
) -> tuple[Any, Any]:
    with place.device():
        _checked(place, call)
        upstream = None if upstream is None else call.upstream(upstream)
        run = LossRun(place, call, upstream, wants_loss=wants_loss, wants_gradient=wants_gradient)
        if call.rows:
            kernels(run)
        run.reduce()
        return run.finish(check=check)


def nll_loss(
    log_probs: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", check: bool = True
) -> Any:
    """Negative log likelihood -w_y x_y of log-probabilities (C,), (N, C) or (N, C, d1, ...) at class indices (), (N,) or (N, d1, ...).

    check: as for `cross_entropy`.
    """
    require_device()
    place, log_probs, target, weight = placed(log_probs, target, weight)
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    return _call(_run_nll_loss, place, call, None, wants_loss=True, wants_gradient=False, check=check)[0]


def nll_loss_backward(
    grad_output: Any,
    log_probs: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    check: bool = True,
) -> Any:
    """Gradient of nll_loss with respect to the log-probabilities: -r w_y at the target of a kept row, else 0."""
    require_device()
    place, grad_output, log_probs, target, weight = placed(grad_output, log_probs, target, weight)
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    return _call(_run_nll_loss, place, call, grad_output, wants_loss=False, wants_gradient=True, check=check)[1]


def cross_entropy(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    check: bool = True,
) -> Any:
    """Softmax cross entropy of logits (C,), (N, C) or (N, C, d1, ...).

    target: class indices (), (N,) or (N, d1, ...), or class probabilities of the logits' shape and dtype. weight: (C,), the logits' dtype.
    The loss has the shape of such indices under reduction "none", else it is 0-d; its dtype is that of the logits.
    check: whether to wait for the device in order to raise IndexError at once for a class out of range. Without it the row's loss is NaN,
    nothing waits, and a later call raises, once the device has come to it.
    """
    require_device()
    place, logits, target, weight = placed(logits, target, weight)
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    return _call(_run_cross_entropy, place, call, None, wants_loss=True, wants_gradient=False, check=check)[0]


def cross_entropy_backward(
    grad_output: Any,
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    check: bool = True,
) -> Any:
    """Gradient of cross_entropy with respect to the logits, for an upstream gradient of the loss's shape and dtype."""
    require_device()
    place, grad_output, logits, target, weight = placed(grad_output, logits, target, weight)
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    return _call(_run_cross_entropy, place, call, grad_output, wants_loss=False, wants_gradient=True, check=check)[1]


def cross_entropy_value_and_grad(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    check: bool = True,
) -> tuple[Any, Any]:
    """The loss and the gradient of its sum."""
    require_device()
    place, logits, target, weight = placed(logits, target, weight)
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    return _call(_run_cross_entropy, place, call, None, wants_loss=True, wants_gradient=True, check=check)
