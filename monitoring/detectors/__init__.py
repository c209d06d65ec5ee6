"""Drift detectors, one algorithm per file."""
