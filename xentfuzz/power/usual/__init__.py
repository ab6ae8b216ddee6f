"""What the usual ways of checking find on the same entries: their inputs and tolerances, re-created from what is published about them."""
