"""Measurements: `make bench`. Ratios within one run are what counts; these machines are noisy."""
