"""The implementations that come with xentfuzz, one per file or folder, each readable on its own. Read `numpy_stable` first.

numpy_stable   "numpy": whole-array NumPy in float64; says in the fewest lines what is computed
torch_eager    "torch-eager": adapter to torch.nn.functional, deprecated arguments included
numba_cpu      "numba-cpu": fused kernels for the CPU: one pass over the logits for the loss, a second one for the gradient
numba_cuda     "numba-cuda": one thread block per row on a GPU; Numba's CUDA simulator where there is none

They import `xentfuzz.implementation`, their own array library and, all but torch's, `arguments`: the checks of shapes, dtypes and options,
which know nothing of how a loss is computed. The computations share no code, neither with each other nor with the exact results.
"""
