"""mlx | accuracy below grade | compiled, unmodified | softmax of bfloat16 adds its exponentials up in bfloat16, where 256 + 1 is 256: probabilities of 478 classes add up to 1.3

So does its gradient, whose sum is -0.35 instead of 0. Documented: precise=True adds in float32; it is not the default (ml-explore/mlx#953, #4178).
"""

import mlx.core as mx

x = mx.array([[0.0, -1.0] * 239], dtype=mx.bfloat16)
for precise in (False, True):
    probabilities, gradient = mx.vjp(lambda logits: mx.softmax(logits, axis=-1, precise=precise), [x], [mx.ones_like(x)])  # noqa: B023
    sums = [array.astype(mx.float32).sum().item() for array in (probabilities[0], gradient[0])]
    print("precise:", precise, "sum of probabilities:", sums[0], "of the gradient:", sums[1])
print("4096 equal logits:", mx.softmax(mx.zeros((1, 4096), dtype=mx.bfloat16), axis=-1)[0, 0].item() * 4096, "wanted: 1")
