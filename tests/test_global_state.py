"""No public estimator, attack or experiment changes the global state of the process."""

import importlib
import inspect
import os
import pkgutil
import random
import threading
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import sigkit
from sigkit.attacks import FGM, PGD, AnnealingAttack, ArtAttack, Attack, BoundaryAttack, CarliniWagnerL2
from sigkit.datasets import SignatureStream, add_synthetic_writers, audit, make_signatures
from sigkit.estimators import (
    AdversarialTrainer,
    DifferentiableVerifier,
    EnsembleAdversarialTrainer,
    LikelihoodRatioCalibrator,
    MetaLearnedVerifier,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
)
from sigkit.experiments import writer_dependent_experiment
from sigkit.metrics import ScoreCalibrator, compare_systems, verification_report, verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.nets import build_network, register_architecture
from sigkit.nets._signet import TinyNet
from sigkit.training import InnerLoop, MetaTraining, SigNetTraining
from sigkit.transformers import (
    BackgroundRemover,
    CLBPFeaturizer,
    OnnxFeaturizer,
    SignaturePreprocessor,
    SigNetFeaturizer,
    StrokeFeaturizer,
)


class NoisyNet(TinyNet):
    """Has dropout, and draws in its forward method in evaluation, too."""

    def forward(self, images):
        images = images + 0.1 * torch.rand(images.shape, device=images.device)
        return torch.dropout(super().forward(images), 0.2, self.training)


# The export to ONNX imports it, and its import sets environment variables.
importlib.import_module("torch._dynamo")
register_architecture("noisy", NoisyNet, "draws random numbers")
DEV = (1, 2, 3, 4)
TRAINING = SigNetTraining(epochs=1, batch_size=8)
TINY = SigNetFeaturizer("tiny", training=TRAINING, device="cpu")
META = MetaTraining(epochs=1, inner_loop=InnerLoop(lr=0.1), n_queries=(3, 3, 3), n_jobs=2)
SVC = WriterDependentSVC(gamma="scale", dev_writers=DEV, n_dev_negatives=3)
VERIFIER = MetaLearnedVerifier(
    "tiny", dev_writers=DEV, n_references=4, n_random_forgeries=3, n_updates=2, training=META, device="cpu"
)
STROKES = StrokeFeaturizer(n_points=20)
ESTIMATORS = {
    "preprocessor": SignaturePreprocessor(canvas_size=(765, 1089), image_size=(28, 36)),
    "background": BackgroundRemover(),
    "patterns": CLBPFeaturizer(),
    "strokes": STROKES,
    "stroke matcher": StrokeMatcher(dev_writers=DEV),
    "fusion": VerifierFusion(
        [
            ("svc", make_pipeline(CLBPFeaturizer(), clone(SVC))),
            ("strokes", make_pipeline(STROKES, StrokeMatcher(dev_writers=DEV))),
        ],
        weights="learned",
        dev_writers=DEV,
    ),
    "featurizer": TINY,
    "featurizer that draws": clone(TINY).set_params(architecture="noisy"),
    "featurizer by ONNX": OnnxFeaturizer(clone(TINY).set_params(training__epochs=0)),
    "untrained": clone(TINY).set_params(training__epochs=0),
    "adversarial": AdversarialTrainer(TINY, n_steps=2, random_start=True),
    "ensemble": EnsembleAdversarialTrainer(TINY, [TINY]),
    "svc": SVC,
    "svc with an operating point": OperatingPointVerifier(SVC, level=0.5, n_draws=1),
    "svc with likelihood ratios": LikelihoodRatioCalibrator(SVC),
    "svc in threads": clone(SVC).set_params(n_jobs=3),
    "svc among peers": WriterDependentSVC("linear", n_peer_negatives=2),
    "calibrator": ScoreCalibrator(),
    "meta-learned": VERIFIER,
    "meta-learned that draws": clone(VERIFIER).set_params(architecture="noisy"),
}
ATTACKS = [
    FGM(),
    PGD(n_steps=2, random_start=True),
    CarliniWagnerL2(n_search_steps=1, n_iterations=2),
    AnnealingAttack(n_steps=2),
    BoundaryAttack(n_steps=2),
]


def public_things():
    """Return the public classes, functions and objects of all rooms."""
    rooms = [room.name for room in pkgutil.iter_modules(sigkit.__path__) if not room.name.startswith("_")]
    modules = [importlib.import_module(f"sigkit.{room}") for room in rooms]
    return [getattr(module, name) for module in modules for name in module.__all__]


def public(kind):
    """Return the public classes of all rooms that `kind` accepts."""
    return {thing for thing in public_things() if inspect.isclass(thing) and kind(thing)}


def state():
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "random": random.getstate(),
        "filters": list(warnings.filters),
        "environment": dict(os.environ),
        "threads": torch.get_num_threads(),
        "type": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "benchmark": torch.backends.cudnn.benchmark,
        "precision": torch.get_float32_matmul_precision(),
        "gradients": torch.is_grad_enabled(),
        "errors": np.geterr(),
        "working directory": os.getcwd(),
    }


@contextmanager
def unchanged_state():
    before = state()
    yield
    assert state() == before


def test_every_public_estimator_and_attack_is_tested():
    assert public(lambda thing: hasattr(thing, "fit")) == set(map(type, ESTIMATORS.values()))
    # The toolbox behind this attack draws from the global state of numpy, as its documentation says.
    attacks = public(lambda thing: issubclass(thing, Attack)) - {Attack, ArtAttack}
    assert attacks == set(map(type, ATTACKS))


@pytest.mark.parametrize("random_state", [0, None])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators(name, random_state, blots):
    estimator, (X, y) = clone(ESTIMATORS[name]), blots
    if name == "preprocessor":
        X, y = make_signatures(n_writers=1, n_genuine=2, n_skilled=0, random_state=0)
    elif name.startswith("svc"):
        X = X.reshape(len(X), -1)[:, ::9].astype(np.float32)
    elif name == "calibrator":
        X = np.arange(len(y)) + 9.0 * (y[:, 1] == 0)
    elif name == "stroke matcher":
        X = clone(STROKES).fit_transform(X)
    paths = [path for path in estimator.get_params() if path.endswith("random_state")]
    estimator.set_params(**dict.fromkeys(paths, random_state))
    with unchanged_state():
        estimator.fit(X, y)
        if hasattr(estimator, "transform"):
            assert np.array_equal(estimator.transform(X), estimator.transform(X))
        else:
            enrolled = np.isin(y[:, 0], estimator.classes_)
            X, y = X[enrolled], y[enrolled]
            estimator.decision_function(X)
            estimator.claim_scores(X, y[:, 0])
            verification_scorer(estimator, X, y)
            estimator.predict(X)
            estimator.score(X[y[:, 1] == 0], y[y[:, 1] == 0])
            estimator.enroll(X, y).remove([5])


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: type(attack).__name__)
@pytest.mark.parametrize("architecture", ["tiny", "noisy"])
def test_attacks(attack, architecture, blots):
    X, y = blots
    featurizer = clone(TINY).set_params(architecture=architecture, training__epochs=0, random_state=0)
    pipeline = make_pipeline(featurizer, clone(SVC).set_params(random_state=0)).fit(X, y)
    with unchanged_state():
        attacked = attack(DifferentiableVerifier(pipeline), X[-3:], y[-3:, 0], goal="accept")
    assert attacked.images.shape == (3, 28, 36)


def test_experiments_splits_and_reports(blots):
    X, y = blots
    pipeline = make_pipeline(clone(TINY).set_params(dev_writers=DEV), SVC)
    cv = WriterSplit(n_references=3, n_queries=3, dev_writers=DEV, n_splits=2)
    with unchanged_state():
        results = writer_dependent_experiment(pipeline, X, y, cv=cv)
        results.report(0)
        verification_report([1, 1, 0, 0], [0.3, 0.9, 0.2, 0.4], n_bootstraps=10)
        compare_systems({"a": [0.3, 0.9, 0.2, 0.4], "b": [4, 2, 1, 3]}, [1, 1, 0, 0], n_bootstraps=10)
        make_signatures(n_writers=1, n_genuine=1, n_skilled=1)
        add_synthetic_writers(list(X[:2]), y[:2], n_writers=1, n_genuine=1, n_skilled=1)
        build_network("noisy", seed=0)
        next(iter(SignatureStream()))
        audit(*make_signatures(n_writers=2, n_genuine=4, n_skilled=2, random_state=0), n_bootstraps=2)


def test_every_public_function_that_draws_is_tested():
    functions = filter(inspect.isfunction, public_things())
    drawing = {thing.__name__ for thing in functions if "random_state" in inspect.signature(thing).parameters}
    made = {"make_fused_verifier"}
    assert drawing - made == {
        "add_synthetic_writers",
        "audit",
        "compare_systems",
        "make_signatures",
        "verification_report",
    }


def test_draws_of_a_user_in_another_thread(blots):
    """Meanwhile a user draws from the global states, and gets the sequences of his seeds."""
    before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    torch.manual_seed(11)
    np.random.seed(11)  # noqa: NPY002
    drawn, done = [], threading.Event()

    def draw():
        while not done.wait(0.001) or len(drawn) < 10:
            drawn.append((torch.rand(1).item(), np.random.rand()))  # noqa: NPY002

    user = threading.Thread(target=draw)
    user.start()
    pipeline = make_pipeline(clone(TINY).set_params(architecture="noisy"), SVC)
    pipeline.fit(*blots).decision_function(blots[0])
    done.set()
    user.join()
    from_torch, from_numpy = zip(*drawn)
    assert list(from_torch) == torch.rand(len(drawn), generator=torch.Generator().manual_seed(11)).tolist()
    assert np.array_equal(from_numpy, np.random.RandomState(11).rand(len(drawn)))
    torch.set_rng_state(before[0])
    np.random.set_state(before[1])  # noqa: NPY002
