"""Read the results that sigver pickled, without unpickling them, and print them in the terms of sigkit.

    python examples/from_sigver/results_table.py wd_gpds300.pickle

For `sigver.wd.test` and `sigver.metalearning.train`. The first table is of the metrics in the file; the second is
computed again from the scores of the first split, with intervals.
"""

import numpy as np
from sigver_options import parser_of, run

from sigkit.experiments import load_sigver_results
from sigkit.metrics import verification_report


def main(arguments=None):
    parser = parser_of(__doc__)
    parser.add_argument("results")
    parser.add_argument("--n-bootstraps", type=int, default=1000)
    options = parser.parse_args(arguments)
    splits = load_sigver_results(options.results)
    for name in splits[0].metrics:
        values = np.array([split.metrics[name] for split in splits])
        print(f"{name:<18} {values.mean():8.4f} +- {values.std():.4f}")
    least = [f"user {split.auc.argmin()}: {split.auc.min():.3f}" for split in splits]
    print(f"least AUC of a writer, by split: {', '.join(least)}\n")
    first = splits[0]
    settings = {"writers": first.writers, "method": "sigver", "n_bootstraps": options.n_bootstraps, "random_state": 0}
    print(verification_report(first.y_true, first.y_score, **settings))


if __name__ == "__main__":
    run(main)
