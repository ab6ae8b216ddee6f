"""Forward of several cases at once by the library's vmap, over a new leading axis of the arrays that differ."""

from __future__ import annotations

from xentfuzz.worker.protocols.scene import Results, Scene, copied
from xentfuzz.worker.texts import raised_from


def run(scene: Scene) -> Results:
    """value: with the leading axis. refused: why there is none. The first step's arrays are used for those that do not differ."""
    loaded = [scene.callee.load(scene.fresh(step)) for step in scene.steps]
    options, library = scene.steps[0].options, scene.callee.library
    names = [str(name) for name in scene.parameters["batched"]]
    try:
        stacks = {name: [given[name] for given in loaded] for name in names}
        value = library.vectorised(lambda given: scene.callee.invoke("forward", given, options), loaded[0], stacks)
    except Exception as error:  # noqa: BLE001 - each library refuses in ways of its own
        return {"refused": str(raised_from(error))}
    return {"value": copied(library.collect(value))}
