"""What the harness would catch: `check` is run on every entry of the gallery and on the honest row, and the outcome is counted."""
