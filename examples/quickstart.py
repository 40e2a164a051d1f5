"""From signatures to error rates, on synthetic signatures: no download, no corpus, no training.

The network comes with the package. It was trained on other synthetic writers, generated with another seed. The DET
curve is saved to `quickstart_det.png`. This takes less than a minute on two cores.
"""

import tempfile

import matplotlib

matplotlib.use("Agg")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import OperatingPointVerifier, make_fused_verifier
from sigkit.metrics import verification_report, verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor

print("Making signatures of 20 synthetic writers ...")
scans, target = make_signatures(n_writers=20, n_genuine=16, n_skilled=8, random_state=1)
dev_writers = range(1, 9)  # their signatures train the system; they are never enrolled

with tempfile.TemporaryDirectory() as memory:
    # One SVM per writer on features of the network, and strokes.
    fused = make_fused_verifier(dev_writers=dev_writers, memory=memory, random_state=0)
    # The threshold: 5 % of the skilled forgeries of the development writers are accepted.
    pipe = Pipeline(
        [
            ("preprocess", SignaturePreprocessor(canvas_size=(765, 1089), memory=memory, n_jobs=2)),
            ("verifier", OperatingPointVerifier(fused, level=0.05, n_draws=1, random_state=0)),
        ]
    )
    split = WriterSplit(n_references=8, n_queries=8, dev_writers=dev_writers, n_splits=1, random_state=0)

    print("Enrolling 12 writers with 8 references each; negatives are signatures of 8 development writers ...")
    train, test = next(split.split(scans, target))
    pipe.fit([scans[row] for row in train], target[train])
    queries = [scans[row] for row in test]
    scores = pipe.decision_function(queries)
    threshold = pipe[-1].threshold_
    report = verification_report(target[test], scores, threshold=threshold, classes=pipe.classes_, random_state=0)
    print(f"\n{pipe[-1].operating_point_}\n\nMeasured:\n{report}\n")
    report.plot_det().figure_.savefig("quickstart_det.png", dpi=150)
    print("The DET curve is in quickstart_det.png.")

    print("\nOne query, with the claim that writer 9 signed it:")
    features = pipe[:-1].transform(queries[:1])
    score = pipe[-1].claim_scores(features, [9])[0]
    verdict = "accepted" if pipe[-1].verify(features, [9])[0] else "rejected"
    print(f"score {score:.2f}, {verdict}; the true writer is {target[test][0, 0]}.")

    print("\nGrid search, 2 candidates; features are computed once per image ...")
    grid = {"verifier__svm__svc__C": [1, 10]}
    search = GridSearchCV(
        clone(pipe).set_params(verifier=fused), grid, cv=split, scoring=verification_scorer, refit="neg_eer"
    )
    search.fit(scans, target)
    print(f"Best: {search.best_params_}, EER {-search.best_score_:.1%} (skilled forgeries, global threshold)")
