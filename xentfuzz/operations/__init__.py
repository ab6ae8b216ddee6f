"""The specification: arguments, options, exact results, error bounds and outcome sets of each operation."""
