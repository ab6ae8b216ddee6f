"""The worked numbers of the two articles that the project starts from, on every implementation, by its own operations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "worked_examples.json").read_text())["examples"]
WITH_VALUE = [example for example in EXAMPLES if example["expected"] is not None]
WITHOUT_VALUE = [example for example in EXAMPLES if example["expected"] is None]


def nll_loss(ours, inputs):
    return ours.value("nll_loss", log_probs=inputs["input"], target=inputs["target"])


def cross_entropy(ours, inputs):
    return ours.value("cross_entropy", logits=inputs["input"], target=inputs["target"], **arguments(inputs))


def arguments(inputs):
    return inputs.get("kwargs", {})


def softmax(ours, inputs):
    return ours.value("softmax", logits=inputs["input"], axis=1)


def log_softmax(ours, inputs):
    return ours.value("log_softmax", logits=inputs["input"], axis=1)


def at_targets(rows, inputs):
    return rows[np.arange(len(rows)), inputs["target"]]


def nll_of_log_softmax(ours, inputs):
    return nll_loss(ours, {"input": log_softmax(ours, inputs).astype(np.float32), "target": inputs["target"]})


def multi_hot_from_single_targets(ours, inputs):
    rows = log_softmax(ours, inputs).astype(np.float32)
    return sum(nll_loss(ours, {"input": rows[row : row + 1], "target": [target]}) for row, target in inputs["pairs"]) / 2


def negative_mean_of_log_softmax(ours, inputs):
    return -at_targets(log_softmax(ours, inputs), inputs).mean()


def weighted_mean_by_hand(ours, inputs):
    losses = ours.value("cross_entropy", logits=inputs["input"], target=inputs["target"], reduction="none")
    weights = np.asarray(arguments(inputs)["weight"])[inputs["target"]]
    return (weights * losses).sum() / weights.sum()


def smoothed_by_hand(ours, inputs):
    log_p, a = log_softmax(ours, inputs), arguments(inputs)["label_smoothing"]
    classes = log_p.shape[1]
    target = (1 - a) * np.eye(classes)[inputs["target"]] + a / classes
    return -(target * log_p).sum(axis=1).mean()


WAYS = {
    "nll_loss": nll_loss,
    "cross_entropy": cross_entropy,
    "cross_entropy sum": cross_entropy,
    "softmax(dim=1)": softmax,
    "log_softmax(dim=1)": log_softmax,
    "log(softmax(dim=1))": lambda ours, inputs: np.log(softmax(ours, inputs)),
    "log_softmax(dim=1)+nll_loss": nll_of_log_softmax,
    "sum of four nll_loss(log_softmax row)/2": multi_hot_from_single_targets,
    "formula: x-log(sum exp x), -mean": negative_mean_of_log_softmax,
    "formula: sum(w*l)/sum(w)": weighted_mean_by_hand,
    "formula: -sum(((1-a)*onehot+a/C)*logp).mean()": smoothed_by_hand,
}


@pytest.mark.parametrize("example", WITH_VALUE, ids=lambda example: example["id"])
def test_worked_number_is_reproduced(ours, example):
    result = WAYS[example["fn"]](ours, example["inputs"])
    assert np.shape(result) == np.shape(example["expected"])
    assert np.all(np.abs(result - np.asarray(example["expected"])) <= example["tolerance"])


TARGETS = {
    "b10": lambda random: random.integers(0, 5, 3),
    "b11": lambda random: random.dirichlet(np.ones(5), 3).astype(np.float32),
}


def test_only_random_examples_lack_a_value():
    assert {example["id"] for example in WITHOUT_VALUE} == set(TARGETS)


@pytest.mark.parametrize("example", WITHOUT_VALUE, ids=lambda example: example["id"])
def test_random_example_is_right(ours, example):
    random = np.random.default_rng(0)
    logits = random.standard_normal((3, 5)).astype(np.float32)
    case = ours.case("cross_entropy", logits=logits, target=TARGETS[example["id"]](random), grad_output=np.float32(1))
    ours.assert_right(case, "value", "grad_logits")
