"""The meta-learned verifier: a network that is adapted to each enrolled writer."""
