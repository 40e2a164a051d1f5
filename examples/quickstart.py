"""From signatures to error rates, on signatures drawn by the package: no download, no corpus, no training.

The network comes with the package. It learned from people drawn with another seed than these, who do not exist either.
Writes the DET curve to `quickstart_det.png`. Takes half a minute on two cores.
"""

import tempfile

import matplotlib

matplotlib.use("Agg")

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import verification_report, verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

print("Drawing the signatures of 20 writers who do not exist ...")
scans, target = make_signatures(n_writers=20, n_genuine=16, n_skilled=8, random_state=1)
dev_writers = range(1, 9)  # known to the system, never enrolled

with tempfile.TemporaryDirectory() as memory:
    pipe = Pipeline(
        [
            ("preprocess", SignaturePreprocessor(canvas_size=(765, 1089), memory=memory, n_jobs=2)),
            ("features", SigNetFeaturizer(weights="synthetic", memory=memory)),
            # The default gamma was made for the 2,048 features of SigNet; "auto" is 1 over their number, here 1,024.
            ("svc", WriterDependentSVC(gamma="auto", dev_writers=dev_writers, random_state=0)),
        ]
    )
    split = WriterSplit(n_references=8, n_queries=8, dev_writers=dev_writers, n_splits=3, random_state=0)

    print("Enrolling 12 writers by 8 references each, against signatures of 8 others ...")
    train, test = next(split.split(scans, target))
    pipe.fit([scans[row] for row in train], target[train])
    queries = [scans[row] for row in test]
    scores = pipe.decision_function(queries)
    report = verification_report(target[test], scores, classes=pipe.classes_, random_state=0)
    print(f"\n{report}\n")
    report.plot_det().figure_.savefig("quickstart_det.png", dpi=150)
    print("The DET curve is in quickstart_det.png.")

    print("\nOne query, and the question whether writer 9 signed it:")
    features = pipe[:-1].transform(queries[:1])
    score = pipe[-1].claim_scores(features, [9])[0]
    verdict = "accepted" if pipe[-1].verify(features, [9], threshold=0.0)[0] else "rejected"
    print(f"score {score:.2f}, {verdict} at the threshold 0; in truth the signature is writer {target[test][0, 0]}'s.")

    print("\nSearching the settings of the SVM, 4 candidates on 3 splits; no image is computed twice ...")
    grid = {"svc__C": [1, 10], "svc__gamma": ["auto", "scale"]}
    search = GridSearchCV(pipe, grid, cv=split, scoring=verification_scorer, refit="neg_eer")
    search.fit(scans, target)
    print(f"Best: {search.best_params_}, EER {-search.best_score_:.1%} (skilled forgeries, global threshold)")
