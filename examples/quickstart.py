"""From signatures to error rates, on signatures drawn by the package: no download, no corpus, no weights.

A network is trained on the development writers, as briefly as a first look allows. Writes the DET curve to
`quickstart_det.png`. Takes about two minutes on two cores.
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
from sigkit.transformers import TRANSFER_RECIPE, SignaturePreprocessor, SigNetFeaturizer

print("Drawing the signatures of 20 writers who do not exist ...")
scans, target = make_signatures(n_writers=20, n_genuine=16, n_skilled=8, random_state=0)
dev_writers = range(1, 9)  # known to the system, never enrolled
canvas_size = SignaturePreprocessor().fit(scans).canvas_size_

with tempfile.TemporaryDirectory() as memory:
    # The state of the training is kept in a folder, so that the grid search below finds it done.
    settings = TRANSFER_RECIPE | {"epochs": 20, "dev_writers": dev_writers, "checkpoint_dir": f"{memory}/training"}
    pipe = Pipeline(
        [
            ("preprocess", SignaturePreprocessor(canvas_size=canvas_size, memory=memory, n_jobs=2)),
            ("features", SigNetFeaturizer(**settings, memory=memory, random_state=0, verbose=1)),
            ("svc", WriterDependentSVC(dev_writers=dev_writers, random_state=0)),
        ]
    )
    split = WriterSplit(n_references=8, n_queries=8, dev_writers=dev_writers, n_splits=3, random_state=0)

    print("Training a network on 8 writers, then enrolling 12 others by 8 references each ...")
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
    grid = {"svc__C": [1, 10], "svc__gamma": ["scale", 2**-11]}
    search = GridSearchCV(pipe, grid, cv=split, scoring=verification_scorer, refit="neg_eer")
    search.fit(scans, target)
    print(f"Best: {search.best_params_}, EER {-search.best_score_:.1%} (skilled forgeries, global threshold)")
