"""A store of enrolled writers on disk, and the verifier that enrolls into it and scores from it."""
