"""The process in which an implementation runs: loads it, converts arrays, calls it, reports. The same code serves calls in this process.

Nothing here imports more of xentfuzz than ARCHITECTURE.md lists, and no library but NumPy, so that a worker in another interpreter needs
only NumPy and what the implementation itself imports.
"""
