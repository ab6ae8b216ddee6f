"""The results of all steps are kept for a moment in which nothing is called: whether one of them changes."""

from __future__ import annotations

import time

from xentfuzz.worker.protocols.scene import Results, Scene, content

# For whatever still writes to a result that was returned already: many times as long as a thread needs to start.
PAUSE = 0.01


def run(scene: Scene) -> Results:
    """step: the number of the first step of which a result changed, else -1; output: the name of that result."""
    kept = [(outputs, scene.snapshot(outputs)) for outputs in map(scene.run, scene.steps)]
    time.sleep(PAUSE)
    for number, (outputs, before) in enumerate(kept):
        after = scene.snapshot(outputs)
        changed = [name for name in before if content(before[name]) != content(after[name])]
        if changed:
            return {"step": number, "output": changed[0]}
    return {"step": -1, "output": ""}
