"""Times implementations on inputs whose results have just been verified."""
