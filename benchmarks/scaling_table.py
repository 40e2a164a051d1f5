"""EER with one scale for all writers, `scaling="shared"`, against `scaling="writer"`, on given features.

    python benchmarks/scaling_table.py cedar_features.npz

The file holds `features` (n, n_features), `writer` and `forgery` (n,), written by `numpy.savez`. The protocol: 12
references, 10 genuine queries, all skilled forgeries, 10 splits; negatives are ten development writers or the other
enrolled writers (peers).
"""

import argparse

import numpy as np

from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit

FIGURES = ("eer_sigver", "eer_writer_sigver", "eer", "eer_writer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", help=".npz file")
    path = parser.parse_args().features
    with np.load(path, allow_pickle=False) as file:
        X = file["features"].astype(np.float32)
        y = np.stack([file["writer"], file["forgery"]], axis=1).astype(int)
    systems = {"10 development writers": {"dev_writers": np.unique(y[:, 0])[:10].tolist()}, "peers": {}}
    print("EER in percent, mean and standard deviation over 10 splits\n")
    print("| negatives | kernel | scaling | sigver: global | user-specific | nearest: global | user-specific |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    worst = 0.0
    for name, negatives in systems.items():
        cv = WriterSplit(dev_writers=negatives.get("dev_writers"), random_state=0)
        for kernel in ("rbf", "linear"):
            means = []
            for scaling in ("writer", "shared"):
                model = WriterDependentSVC(kernel, scaling=scaling, n_jobs=-1, random_state=0, **negatives)
                metrics = writer_dependent_experiment(model, X, y, cv=cv).metrics
                means.append([100 * metrics[name].mean() for name in FIGURES])
                cells = " | ".join(
                    f"{100 * metrics[key].mean():.2f} +- {100 * metrics[key].std():.2f}" for key in FIGURES
                )
                print(f"| {name} | {kernel} | {scaling} | {cells} |", flush=True)
            worst = max(worst, np.abs(np.subtract(*means)).max())
    print(f"\nThe largest difference of a mean: {worst:.2f} points")


if __name__ == "__main__":
    main()
