"""One table of what xentfuzz and the usual ways of checking find, from stored results."""
