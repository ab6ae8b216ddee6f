"""torch.compile on the project's table, and where installed Liger's and quack's kernels."""

from __future__ import annotations

import gc

import torch

from gpu.bench import eager_loss, for_kernels, ours_both, ours_loss, shapes
from gpu.support import GPU, batches, median_us, say, write


def main(out):
    records = []
    say(out, "\nagainst torch.compile: GPU us of ours, of the compiled, ratio")
    for (rows, classes), dtype in shapes():
        torch._dynamo.reset()
        inputs = batches(rows, classes, dtype)
        compiled = torch.compile(eager_loss, dynamic=False, backend="inductor" if GPU else "eager")

        def both(logits, target, loss_of=compiled):
            logits = logits.detach().requires_grad_()
            loss = loss_of(logits, target)
            return loss, torch.autograd.grad(loss, logits)[0]

        for what, ours, theirs in (("loss", ours_loss, compiled), ("loss+gradient", ours_both, both)):
            record = {"rows": rows, "classes": classes, "dtype": dtype, "what": what}
            try:
                mine = median_us(ours, for_kernels(inputs))
                other = median_us(theirs, inputs)
                record |= {"ours_us": mine, "compiled_us": other}
                say(out, f"{rows} {classes} {dtype} {what} | {mine:.1f} {other:.1f} {other / mine:.2f}")
            except Exception as error:  # noqa: BLE001 - told, and the next one is tried
                record["error"] = repr(error)[-600:]
                say(out, f"{rows} {classes} {dtype} {what} | {record['error'][:300]}")
            records.append(record)
            write(out, "compiled", records)
        del inputs
        gc.collect()
