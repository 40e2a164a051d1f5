import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sigkit.estimators import EnsembleAdversarialTrainer, WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.experiments._describe import describe_estimator
from sigkit.metrics import verification_report, verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.nets import weights_path
from sigkit.transformers import SigNetFeaturizer

DEV = [0, 1, 2]


@pytest.fixture(scope="module")
def signatures():
    rng = np.random.default_rng(0)
    y = np.array([[writer, forgery] for writer in range(9) for forgery in [0] * 9 + [1] * 4])
    return rng.normal(size=(9, 16))[y[:, 0]] * 1.5 + rng.normal(size=(len(y), 16)) * (1 + y[:, 1:]), y


@pytest.fixture
def settings():
    return {
        "estimator": WriterDependentSVC(gamma=0.05, dev_writers=DEV, random_state=0),
        "cv": WriterSplit(n_references=4, n_queries=5, dev_writers=DEV, n_splits=4, random_state=0),
    }


def test_metrics_agree_with_cross_validate(signatures, settings):
    results = writer_dependent_experiment(X=signatures[0], y=signatures[1], threshold=0.0, **settings)
    expected = cross_validate(**settings, X=signatures[0], y=signatures[1], scoring=verification_scorer)
    for name in ("eer", "eer_writer", "frr", "far_random", "far_skilled"):
        np.testing.assert_allclose(results.metrics[name], -expected[f"test_neg_{name}"], atol=1e-12)
    np.testing.assert_allclose(results.metrics["mean_auc"], expected["test_mean_auc"], atol=1e-12)
    assert results.fit_time.shape == results.score_time.shape == (4,)


def test_weights_are_described_by_their_contents():
    named = describe_estimator(SigNetFeaturizer(weights="synthetic"))
    assert named == describe_estimator(SigNetFeaturizer(weights=weights_path("synthetic")))
    assert named != describe_estimator(SigNetFeaturizer(weights="other"))
    started = describe_estimator(SigNetFeaturizer(initial_weights="synthetic"))
    assert started == describe_estimator(SigNetFeaturizer(initial_weights=weights_path("synthetic")))


def test_trials_and_both_methods_of_the_eer(signatures, settings):
    X, y = signatures
    results = writer_dependent_experiment(X=X, y=y, threshold=-0.2, **settings)
    train, test = next(settings["cv"].split(X, y))
    model = settings["estimator"].fit(X[train], y[train])
    scores = model.decision_function(X[test])
    trials = results.trials[0]
    assert np.array_equal(trials.rows, test)
    assert np.array_equal(trials.classes, model.classes_)
    genuine = y[test, 1] == 0
    np.testing.assert_allclose(trials.genuine_scores, scores[genuine], atol=1e-6)
    own = scores[~genuine][np.arange((~genuine).sum()), np.searchsorted(model.classes_, y[test][~genuine, 0])]
    np.testing.assert_allclose(trials.forgery_scores, own, atol=1e-6)
    report = verification_report(
        y[test], scores, threshold=-0.2, method="sigver", classes=model.classes_, n_bootstraps=0
    )
    assert results.metrics["eer_sigver"][0] == report.estimates["eer"].value
    assert results.metrics["eer_writer_sigver"][0] == report.estimates["eer_writer"].value
    assert results.metrics["frr"][0] == report.estimates["frr"].value
    again = results.report(0, method="sigver", n_bootstraps=0)
    settings = {"classes": trials.classes, "n_bootstraps": 0, "threshold": -0.2}
    direct = verification_report(trials.target, results.scores(0), **settings)
    assert direct.to_dict() == results.report(0, n_bootstraps=0).to_dict()
    assert again.estimates["eer"].value == report.estimates["eer"].value
    assert again.threshold == -0.2
    text = str(results)
    assert f"{100 * results.metrics['eer_sigver'].mean():.2f} +- " in text
    assert "4 splits; FRR and FAR at the threshold -0.2" in text
    frame = results.to_frame()
    assert frame.loc["eer", "mean"] == results.metrics["eer"].mean()
    assert frame.loc["eer", [f"split_{split}" for split in range(4)]].tolist() == results.metrics["eer"].tolist()
    latex = results.to_latex()
    frr = results.metrics["frr"]
    assert rf"FRR & {100 * frr.mean():.2f} \% & {100 * frr.std():.2f} \% \\" in latex
    assert re.search(r"mean AUC & [\d.]+ & [\d.]+ \\\\", latex)
    assert "over 4 splits; FRR and FAR at the threshold -0.2" in latex.partition(r"\end{tabular}")[2]


def test_an_interrupted_experiment_is_resumed(signatures, settings, tmp_path, monkeypatch, capsys):
    X, y = signatures
    expected = writer_dependent_experiment(X=X, y=y, **settings)
    fits = []

    def fit(self, *data):
        fits.append(len(data))
        if len(fits) == 3:
            raise KeyboardInterrupt
        return original(self, *data)

    original = WriterDependentSVC.fit
    monkeypatch.setattr(WriterDependentSVC, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        writer_dependent_experiment(X=X, y=y, folder=tmp_path / "kept", **settings)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "experiment.json",
        "split-000.npz",
        "split-001.npz",
    ]
    results = writer_dependent_experiment(X=X, y=y, folder=tmp_path / "kept", verbose=1, **settings)
    assert len(fits) == 5
    assert "[sigkit] splits: 2 of 2" in capsys.readouterr().err
    for name, values in expected.metrics.items():
        assert np.array_equal(results.metrics[name], values)
    writer_dependent_experiment(X=X, y=y, folder=tmp_path / "kept", **settings)
    assert len(fits) == 5


def test_an_experiment_in_three_threads(signatures, settings, tmp_path):
    X, y = signatures
    expected = writer_dependent_experiment(X=X, y=y, **settings)
    with ThreadPoolExecutor(3) as pool:
        run = partial(writer_dependent_experiment, X=X, y=y, folder=tmp_path, **settings)
        for running in [pool.submit(run) for _ in range(3)]:
            for trials, whole in zip(running.result().trials, expected.trials):
                assert np.array_equal(trials.genuine_scores, whole.genuine_scores)
                assert np.array_equal(trials.forgery_scores, whole.forgery_scores)
    assert len(list(tmp_path.iterdir())) == 5


def test_splits_of_another_experiment_are_refused(signatures, settings, tmp_path):
    X, y = signatures
    writer_dependent_experiment(X=X, y=y, folder=tmp_path, **settings)
    (tmp_path / "experiment.json").unlink()
    settings["estimator"].set_params(C=3.0)
    with pytest.raises(ValueError, match=r"split-000\.npz: belongs to another experiment"):
        writer_dependent_experiment(X=X, y=y, folder=tmp_path, **settings)


def test_folder_of_another_experiment(signatures, settings, tmp_path):
    X, y = signatures
    writer_dependent_experiment(X=X, y=y, folder=tmp_path, **settings)
    for change, message in [
        (
            {"estimator": clone(settings["estimator"]).set_params(C=2)},
            r"differ: estimator\. estimator was .*'C': '1.0'.*'2'",
        ),
        ({"cv": WriterSplit(4, 5, DEV, 4, random_state=1)}, "differ: splits"),
        ({"X": X + 1}, "differ: X"),
        ({"y": np.where(y == 3, 33, y)}, "differ: y"),
    ]:
        with pytest.raises(ValueError, match=message):
            writer_dependent_experiment(**({**settings, "X": X, "y": y} | change), folder=tmp_path)
    settings["estimator"].set_params(n_jobs=2, max_memory=100)
    writer_dependent_experiment(X=X, y=y, folder=tmp_path, **settings)


def test_bad_input(signatures, settings, tmp_path):
    X, y = signatures
    with pytest.raises(ValueError, match=r"development writers of the estimator, who are not enrolled: 2\."):
        writer_dependent_experiment(settings["estimator"], X, y, cv=WriterSplit(4, 5, [0, 1], random_state=0))
    estimator = WriterDependentSVC(dev_writers=DEV, random_state=np.random.RandomState(0))
    with pytest.raises(ValueError, match="set random_state to an integer"):
        writer_dependent_experiment(estimator, X, y, cv=settings["cv"], folder=tmp_path / "unseeded")
    with pytest.raises(ValueError, match=r"threshold must be a number.*found '0'"):
        writer_dependent_experiment(X=X, y=y, threshold="0", **settings)
    writer_dependent_experiment(X=X, y=y, folder=tmp_path / "kept", **settings)
    split = tmp_path / "kept" / "split-002.npz"
    split.write_bytes((tmp_path / "kept" / "split-001.npz").read_bytes())
    with pytest.raises(ValueError, match=r"split-002\.npz: is the part 'split-001', .*Remove it"):
        writer_dependent_experiment(X=X, y=y, folder=tmp_path / "kept", **settings)
    split.write_bytes(split.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"split-002\.npz: damaged .* Remove it"):
        writer_dependent_experiment(X=X, y=y, folder=tmp_path / "kept", **settings)
    (tmp_path / "kept" / "experiment.json").write_text("[")
    with pytest.raises(ValueError, match=r"experiment\.json: damaged"):
        writer_dependent_experiment(X=X, y=y, folder=tmp_path / "kept", **settings)


def test_pipelines_lists_names_and_processes(signatures, settings, tmp_path):
    X, y = signatures
    names = np.array([f"w{number}" for number in range(9)])
    y = np.stack([names[y[:, 0]].astype(object), y[:, 1].astype(object)], axis=1)
    dev = [f"w{number}" for number in DEV]
    pipe = make_pipeline(FunctionTransformer(), WriterDependentSVC(gamma=0.05, dev_writers=dev, random_state=0))
    cv = settings["cv"].__class__(4, 5, dev, 4, random_state=0)
    expected = writer_dependent_experiment(X=X, y=[[int(w[1:]), f] for w, f in y], **settings)
    with joblib.parallel_config("loky"):
        results = writer_dependent_experiment(pipe, X, y, cv=cv, n_jobs=2, folder=tmp_path)
    for name, values in expected.metrics.items():
        assert np.array_equal(results.metrics[name], values)
    assert json.loads((tmp_path / "experiment.json").read_text()).keys() == {"estimator", "X", "y", "splits", "digest"}


def test_the_default_split_has_the_estimators_development_writers(signatures):
    rng = np.random.default_rng(0)
    y = np.array([[writer, forgery] for writer in range(5) for forgery in [0] * 22 + [1] * 2])
    X = rng.normal(size=(5, 8))[y[:, 0]] + rng.normal(size=(len(y), 8))
    results = writer_dependent_experiment(WriterDependentSVC(gamma=0.1, dev_writers=[1, 3]), X, y)
    assert results.trials[9].classes.tolist() == [0, 2, 4]
    assert results.trials[0].genuine_scores.shape == (30, 3)


def test_surrogates_and_paths_are_described_by_their_contents(tmp_path):
    path = tmp_path / "weights.safetensors"
    described = []
    for content in (b"1", b"2"):
        path.write_bytes(content)
        named = [describe_estimator(SigNetFeaturizer(weights=weights)) for weights in (path, str(path))]
        assert named[0] == named[1]
        surrogates = [SigNetFeaturizer(weights=str(path))]
        described.append((named[0], describe_estimator(EnsembleAdversarialTrainer(SigNetFeaturizer(), surrogates))))
    assert described[0][0] != described[1][0]
    assert described[0][1] != described[1][1]


class Power:
    """A transformation whose methods depend on the object."""

    def __init__(self, exponent):
        self.exponent = exponent

    def power(self, X):
        return X**self.exponent

    def make(self):
        def power(X):
            return X**self.exponent

        return power


@pytest.mark.parametrize("func", [Power(2).power, Power(2).make(), lambda X: X])
def test_functions_whose_name_does_not_tell_what_they_do(func):
    with pytest.raises(ValueError, match="func must be a named function of a module, not a lambda, a function inside"):
        describe_estimator(FunctionTransformer(func))


def double(X):
    return 2 * X


def test_pipelines_are_resumed_if_the_contents_are_the_same(signatures, settings, tmp_path, monkeypatch):
    X, y = signatures
    paths = [str(tmp_path / f"{row}.txt") for row in range(len(X))]
    for path, row in zip(paths, X):
        np.savetxt(path, row)

    def make(func=read, **parameters):
        steps = FunctionTransformer(func), WriterDependentSVC(gamma=0.05, dev_writers=DEV, random_state=0)
        return make_pipeline(*steps).set_params(**parameters)

    def run(pipe):
        return writer_dependent_experiment(pipe, paths, y, cv=settings["cv"], folder=tmp_path / "kept")

    results = run(make())
    np.testing.assert_allclose(
        results.metrics["eer"], writer_dependent_experiment(X=X, y=y, **settings).metrics["eer"], atol=1e-12
    )
    monkeypatch.setattr(WriterDependentSVC, "fit", None)
    again = run(make(writerdependentsvc__n_jobs=2, memory=str(tmp_path / "memory"), verbose=True))
    assert np.array_equal(again.metrics["eer"], results.metrics["eer"])
    for changed in (make(writerdependentsvc__dev_writers=np.array([0, 1])), make(func=double)):
        with pytest.raises(ValueError, match="differ: estimator"):
            run(changed)
    np.savetxt(paths[-1], X[0])
    with pytest.raises(ValueError, match="differ: X"):
        run(make())


def read(paths):
    return np.array([np.loadtxt(path) for path in paths])
