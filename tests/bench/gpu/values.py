"""Values of all four dtypes and of loss, gradient and backward, for every path through the kernels, against torch in float64.

A coarse comparison that no wrong kernel passes: the harness, in a later stage, holds results to bounds.
"""

from __future__ import annotations

import itertools
import traceback

import torch
from torch.nn import functional

from gpu.support import DEVICE, DTYPES, GPU, UNIT, exact, given, poison, say, write
from xentfuzz.impls import numba_cuda

# (shape, how it lies); the first are tiny. On a GPU they reach each way to lay out rows.
SHAPES = [(4, 10), (1, 37), (5, 37), (3, 7, 5), (2, 4, 3, 2), (9,)]
LARGE = [(7, 1000), (3000, 129), (300, 32000), (40, 128256), (16, 262144), (2, 500000), (70000, 3), (8, 50, 999), (4, 1000, 77)]
MOST_ROUNDINGS = 40
LAYOUTS = ("plain", "sliced", "classes apart")


def laid_out(tensor, layout):
    """The same numbers: as they are, as a part of wider rows at an odd offset, or with the class axis not innermost."""
    axis = min(tensor.dim() - 1, 1)
    if layout == "sliced":
        wide = torch.zeros((*tensor.shape[:-1], tensor.shape[-1] + 3), dtype=tensor.dtype, device=tensor.device)
        part = wide[..., 1 : 1 + tensor.shape[-1]]
        return part.copy_(tensor)
    if layout == "classes apart" and tensor.dim() > 1:
        turned = tensor.transpose(axis, 0).contiguous()
        return turned.transpose(axis, 0)
    return tensor


def error_of(got, wanted, unit):
    """The norm of the difference over that of the exact result, in roundings; infinite where one is NaN or infinite and the other not."""
    got, wanted = exact(got), wanted.double()
    if got.shape != wanted.shape or not torch.equal(got.isfinite(), wanted.isfinite()):
        return float("inf")
    finite = wanted.isfinite()
    size = wanted[finite].norm().item()
    return (got[finite] - wanted[finite]).norm().item() / (size or 1.0) / unit


def cases(small_only):
    for shape in SHAPES if small_only else SHAPES + LARGE:
        for layout in LAYOUTS:
            yield shape, layout


def try_case(shape, layout, dtype, options):
    """Errors in roundings of (loss, loss with gradient, gradient, backward), for one way of asking."""
    generator = torch.Generator(device=DEVICE).manual_seed(len(shape) * 1000 + shape[-1])
    axis = min(len(shape) - 1, 1)
    classes, positions = shape[axis], shape[:axis] + shape[axis + 1 :]
    logits = torch.randn(shape, generator=generator, device=DEVICE, dtype=torch.float32).mul(3).to(DTYPES[dtype])
    if options["soft"]:
        target = torch.rand(shape, generator=generator, device=DEVICE, dtype=torch.float32).softmax(axis).to(DTYPES[dtype])
    else:
        target = torch.randint(0, classes, positions, generator=generator, device=DEVICE)
        if target.numel() > 2:
            target.view(-1)[1::3] = -100
    weight = None
    if options["weighted"]:
        weight = (torch.rand(classes, generator=generator, device=DEVICE) + 0.5).to(DTYPES[dtype])
    words = {"reduction": options["reduction"], "label_smoothing": options["smoothing"]}
    wide = logits.double().clone().requires_grad_()
    wanted = functional.cross_entropy(
        wide, target.double() if options["soft"] else target, weight=None if weight is None else weight.double(), **words
    )
    upstream = torch.rand(wanted.shape, generator=generator, device=DEVICE).to(DTYPES[dtype])
    (of_ones,) = torch.autograd.grad(wanted.sum(), wide, retain_graph=True)
    (of_upstream,) = torch.autograd.grad(wanted, wide, upstream.double())
    arrays = [given(laid_out(logits, layout)), given(laid_out(target, layout) if options["soft"] else target)]
    words["weight"] = given(weight)
    poison(logits.numel())
    loss = numba_cuda.cross_entropy(*arrays, **words)
    poison(logits.numel())
    both = numba_cuda.cross_entropy_value_and_grad(*arrays, **words)
    backward = numba_cuda.cross_entropy_backward(given(upstream), *arrays, **words)
    unit = UNIT[dtype]
    return [
        error_of(result, right, unit)
        for result, right in ((loss, wanted.detach()), (both[0], wanted.detach()), (both[1], of_ones), (backward, of_upstream))
    ]


def options_for(large):
    plain = {"soft": False, "weighted": False, "smoothing": 0.0}
    others = [] if large else [{**plain, "smoothing": 0.1}, {**plain, "soft": True, "weighted": True}]
    for some, reduction in itertools.product([plain, {**plain, "weighted": True}, *others], ("mean", "none")):
        yield {**some, "reduction": reduction}


def out_of_range():
    """What a class out of range leads to: (checked at once, found by a later call)."""
    logits, target = torch.zeros((3, 4), device=DEVICE), torch.tensor([1, 7, 2], device=DEVICE)
    answers = []
    try:
        numba_cuda.cross_entropy(given(logits), given(target))
        answers.append("nothing")
    except IndexError as error:
        answers.append(str(error))
    if GPU:
        numba_cuda.cross_entropy(logits, target, check=False)
        torch.cuda.synchronize()
        try:
            numba_cuda.cross_entropy(logits, target.clamp(max=3))
            answers.append("nothing")
        except IndexError as error:
            answers.append(str(error))
    return answers


def main(out):
    records, worst = [], {}
    for dtype in DTYPES:
        for shape, layout in cases(small_only=not GPU):
            large = len(shape) and max(shape) > 50
            for options in options_for(large):
                if not GPU and (layout != "plain" or shape not in SHAPES[:3]):
                    continue
                record = {"dtype": dtype, "shape": shape, "layout": layout, **options}
                try:
                    record["roundings"] = try_case(shape, layout, dtype, options)
                    worst[dtype] = max(worst.get(dtype, 0.0), *record["roundings"])
                except Exception:  # noqa: BLE001 - told, and the next one is tried
                    record["error"] = traceback.format_exc()[-1500:]
                    worst[dtype] = float("inf")
                records.append(record)
        write(out, "values", records[-2000:])
    wrong = [record for record in records if "error" in record or max(record["roundings"]) > MOST_ROUNDINGS]
    say(out, f"values: {len(records)} cases, worst norm of the error in roundings of the dtype: {worst}; wrong: {len(wrong)}")
    for record in wrong[:12]:
        say(out, f"  WRONG {record}"[:700])
    answers = out_of_range()
    say(out, f"a class out of range: {answers}")
    write(out, "values", {"wrong": wrong[:40], "worst": worst, "cases": len(records), "out_of_range": answers})
