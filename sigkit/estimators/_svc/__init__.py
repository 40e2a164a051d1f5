"""Writer-dependent SVMs: the estimator, its solver, the negatives, and the files of single writers."""
