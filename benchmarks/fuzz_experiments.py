"""Kinds of files of `sigkit.experiments`, for `fuzz_files.py`."""

from fuzz_files import IMAGES, TARGET, VECTORS, WRITERS, Target, kind
from sklearn.pipeline import make_pipeline

from sigkit.attacks import FGM
from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import AttackCampaign, writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer

DEV = [0, 1]


def split_target(folder, pattern, format):
    estimator = WriterDependentSVC(gamma=0.05, dev_writers=DEV, random_state=0)
    cv = WriterSplit(n_references=3, n_queries=4, dev_writers=DEV, n_splits=2, random_state=0)

    def read():
        trials = writer_dependent_experiment(estimator, VECTORS, WRITERS, cv=cv, folder=folder).trials
        return [part for each in trials for part in (each.rows, each.genuine_scores, each.forgery_scores)]

    read()
    return Target(sorted(folder.glob(pattern))[0], read, format)


@kind
def experiment_split(folder):
    return split_target(folder, "*.npz", "npz")


@kind
def experiment_description(folder):
    return split_target(folder, "experiment.json", "json")


@kind
def campaign_outcome(folder):
    network = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
    systems = {"tiny": make_pipeline(network, WriterDependentSVC("linear", random_state=0))}
    campaign = AttackCampaign(
        systems, {"FGM": FGM(epsilon=200)}, n_references=2, n_queries=2, knowledge=("perfect",), folder=folder
    )

    def read():
        results = campaign.run(IMAGES, TARGET)
        return [results.table["score_after"], results.table["success"], *results.images.values()]

    read()
    return Target(next(folder.glob("*.npz")), read, "npz")
