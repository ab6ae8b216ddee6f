"""Named properties, each judged on one case at a time."""
