"""The process in which an implementation runs."""
