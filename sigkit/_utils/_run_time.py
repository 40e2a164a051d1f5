"""Parameters that affect how a computation runs, and not its result."""

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
"""Names of such parameters in any estimator. All other parameters identify a training or an experiment."""
