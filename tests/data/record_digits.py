"""Record real logits: train a small classifier on scikit-learn's handwritten digits and keep those of one batch, early and late.

    python tests/data/record_digits.py [DIRECTORY]

writes digits_early.npz (after 3 steps: nearly uniform predictions) and digits_late.npz (after 600: confident, a few of them wrong), each
with `logits` float32 (64, 10), `target` int64 (64,) and `weight` float32 (10,), the inverse class frequencies. The batch is held out from
training. Needs torch and scikit-learn.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

STEPS = {"early": 3, "late": 600}
BATCH = 64


def record(directory):
    torch.manual_seed(0)
    digits = load_digits()
    images, target = torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)
    held_out = slice(0, BATCH)
    weight = len(target) / (10 * np.bincount(digits.target, minlength=10))
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(1, max(STEPS.values()) + 1):
        chosen = torch.randint(BATCH, len(target), (BATCH,))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images[chosen]), target[chosen]).backward()
        optimizer.step()
        for name, last in STEPS.items():
            if step == last:
                logits = model(images[held_out]).detach().numpy()
                arrays = {"logits": logits, "target": target[held_out].numpy(), "weight": weight.astype(np.float32)}
                np.savez_compressed(directory / f"digits_{name}.npz", **arrays)


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
