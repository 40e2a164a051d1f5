"""Parameters that decide how work runs, and not what comes out of it."""

RUN_TIME_PARAMETERS = frozenset(
    {
        "callbacks",
        "checkpoint_dir",
        "compile",
        "device",
        "max_memory",
        "memory",
        "n_jobs",
        "recompute",
        "verbose",
    }
)
"""Their names, whatever the estimator. All other parameters are part of what identifies a training or an experiment."""
