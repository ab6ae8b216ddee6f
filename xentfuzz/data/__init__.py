"""Recordings that `xentfuzz run` includes: links to `tests/data`, where the script that made them is."""
