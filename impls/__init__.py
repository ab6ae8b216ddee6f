"""Implementations, each in one file that can be read on its own."""
