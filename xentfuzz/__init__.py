"""Differential testing and benchmarking of softmax cross-entropy kernels."""

__version__ = "0.1.0"
