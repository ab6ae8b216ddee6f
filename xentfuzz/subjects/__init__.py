"""An implementation that is ready to be called: resolved, probed, in process or in a worker."""
