"""The derivative of forward along a vector by the library's forward mode."""

from __future__ import annotations

from xentfuzz.worker.protocols.scene import Results, Scene, copied
from xentfuzz.worker.texts import raised_from


def run(scene: Scene) -> Results:
    """tangent: of the value. refused: why there is none."""
    (step,) = scene.steps
    loaded = scene.callee.load(scene.fresh(step))
    first, vector = scene.callee.plan.positional[0], loaded.pop("vector")
    library = scene.callee.library
    loaded.pop("grad_output", None)
    try:
        tangent = library.tangent(lambda given: scene.callee.invoke("forward", given, step.options), loaded, first, vector)
    except Exception as error:  # noqa: BLE001 - each library refuses in ways of its own
        return {"refused": str(raised_from(error))}
    return {"tangent": copied(library.collect(tangent))}
