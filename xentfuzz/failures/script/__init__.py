"""Stand-alone scripts that reproduce a failure in the target's own library."""

from xentfuzz.failures.script.reproducer import reproducer

__all__ = ["reproducer"]
