"""Comparison of signatures stroke by stroke: points, their alignment, and the verifier."""
