"""Verifiers whose scores are combined, and the weights of the combination."""
