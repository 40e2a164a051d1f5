"""Adapters of fitted verifiers for the attacks of `sigkit.attacks`."""
