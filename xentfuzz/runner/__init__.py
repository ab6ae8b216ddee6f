"""Drives the checks over the cases and emits events."""
