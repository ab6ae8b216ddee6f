"""Findings: their classes, records, scripts, and which of them are expected."""
