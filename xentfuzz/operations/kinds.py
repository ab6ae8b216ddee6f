"""The kinds of arrays that recipes can make: what an operation says of each argument."""

from __future__ import annotations

LOGITS = "logits"  # finite numbers of any size
LOG_PROBS = "log_probs"  # logarithms of the probabilities of a row
TARGET = "target"  # class indices or class probabilities
WEIGHT = "weight"  # a number for each class
