"""What a worker's interpreter is started on: `python bootstrap.py FOLDER REQUESTS REPLIES ARENA LIFELINE PATH...`.

Makes this very copy of xentfuzz importable under its name without putting the folder around it on the path: to another interpreter that
folder may be foreign site-packages. Must not be imported by anything.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location


def _make_importable(folder: str) -> None:
    spec = spec_from_file_location("xentfuzz", f"{folder}/__init__.py", submodule_search_locations=[folder])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["xentfuzz"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    # Python puts the folder of the script first: modules of the worker would be importable under bare names.
    sys.path[:1] = sys.argv[6:]
    _make_importable(sys.argv[1])
    from xentfuzz.worker.server import main

    main(*map(int, sys.argv[2:6]))
