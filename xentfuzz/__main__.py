"""`python -m xentfuzz`: the same as the program `xentfuzz`."""

from __future__ import annotations

import sys

from xentfuzz.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
