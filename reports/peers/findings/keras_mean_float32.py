"""keras-torch | accuracy below grade | compiled, unmodified | the mean and sum of float64 losses are float32"""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch

for reduction in ("mean", "sum", None):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction, dtype="float64")
    print(reduction, loss(torch.tensor([0]), torch.zeros((1, 3), dtype=torch.float64)).dtype)
