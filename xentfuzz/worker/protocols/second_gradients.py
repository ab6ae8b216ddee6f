"""The gradients of <vector, gradient of the first argument>: a double backward by the library's autodiff."""

from __future__ import annotations

from xentfuzz.worker.protocols.scene import Results, Scene, copied
from xentfuzz.worker.texts import raised_from


def run(scene: Scene) -> Results:
    """gradient: by the first argument; upstream: by the upstream gradient. refused: why there is none."""
    (step,) = scene.steps
    loaded = scene.callee.load(scene.fresh(step))
    first, vector = scene.callee.plan.positional[0], loaded.pop("vector")
    upstream = loaded.pop("grad_output")
    library = scene.callee.library
    try:
        found = library.second_gradients(lambda given: scene.callee.invoke("forward", given, step.options), loaded, first, upstream, vector)
    except Exception as error:  # noqa: BLE001 - each library refuses in ways of its own
        return {"refused": str(raised_from(error))}
    return {name: copied(library.collect(result)) for name, result in zip(("gradient", "upstream"), found, strict=True)}
