"""The usual mistakes get a message that says what to do, and never a wrong number."""

import uuid

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline

from sigkit.estimators import VerifierFusion, WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.metrics import frr_score, make_verification_scorer, verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor

DEV = [1, 2, 3]
SPLIT = WriterSplit(n_references=4, n_queries=4, dev_writers=DEV, n_splits=2, random_state=0)


class Doubler(TransformerMixin, BaseEstimator):
    """A transformer without fitted attributes."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return 2 * X


@pytest.fixture(scope="module")
def signatures():
    rng = np.random.default_rng(0)
    y = np.array([[writer, forgery] for writer in range(1, 9) for forgery in [0] * 8 + [1] * 4])
    return rng.normal(size=(9, 16))[y[:, 0]] * 2 + rng.normal(size=(len(y), 16)) + y[:, 1:], y


@pytest.fixture
def model():
    return WriterDependentSVC(gamma=0.05, dev_writers=DEV)


class TestCrossValidation:
    def test_a_splitter_of_classes(self, signatures, model):
        X, y = signatures
        # scikit-learn itself raises this error; no fold is made.
        with pytest.raises(ValueError, match="Supported target types"):
            cross_validate(model, X, y, cv=StratifiedKFold(3), scoring=verification_scorer)
        with pytest.raises(ValueError, match=r"StratifiedKFold.* cannot split rows .* Pass a WriterSplit"):
            writer_dependent_experiment(model, X, y, cv=StratifiedKFold(3))

    def test_folds_with_development_writers(self, signatures, model):
        X, y = signatures
        X, y, cv = X[y[:, 1] == 0], y[y[:, 1] == 0, 0], StratifiedKFold(2)
        with pytest.warns(UndefinedMetricWarning, match="12 signatures are by development writers .*: 1, 2, 3"):
            found = cross_validate(model, X, y, cv=cv, scoring=make_verification_scorer("far", kind="random"))
        # The number is that of the enrolled writers alone.
        train, test = next(cv.split(X, y))
        test = test[y[test] > 3]
        fitted = model.fit(X[train], y[train])
        assert found["test_score"][0] == make_verification_scorer("far", kind="random")(fitted, X[test], y[test])

    def test_folds_without_references(self, signatures):
        X, y = signatures
        with pytest.raises(ValueError, match=r"WriterSplit\(dev_writers=...\) puts their rows into every"):
            WriterDependentSVC(dev_writers=DEV).fit(X[y[:, 0] > 1], y[y[:, 0] > 1])
        fitted = WriterDependentSVC(gamma=0.05).fit(X[y[:, 0] < 5], y[y[:, 0] < 5])
        for cv, groups in ((GroupKFold(2), y[:, 0]), (KFold(8), None)):
            options = {"cv": cv, "groups": groups, "scoring": verification_scorer, "error_score": "raise"}
            with pytest.raises(ValueError, match=r"No genuine signature of the fold .* pass cv=WriterSplit"):
                cross_validate(WriterDependentSVC(gamma=0.05), X, y, **options)
        rows = (y[:, 0] == 4) | (y[:, 0] == 6)
        with (
            pytest.warns(UndefinedMetricWarning, match="4 forgeries claim writers who are not enrolled, .*: 6"),
            pytest.warns(UndefinedMetricWarning, match="3 of 4 enrolled writers have no query in this fold: 1, 2, 3"),
            pytest.warns(UndefinedMetricWarning, match="3 of 4 writers have no genuine trials"),
        ):
            verification_scorer(fitted, X[rows], y[rows])

    def test_development_writers_of_the_splitter_alone(self, signatures, model):
        X, y = signatures
        scoring = make_verification_scorer("frr")
        with pytest.warns(UndefinedMetricWarning, match="3 of 8 enrolled writers have no query .*: 1, 2, 3"):
            cross_validate(model.set_params(dev_writers=None), X, y, cv=SPLIT, scoring=scoring)
        # A fusion whose verifiers name them is right.
        fusion = VerifierFusion([("one", WriterDependentSVC(gamma=0.05, dev_writers=DEV))])
        assert cross_validate(fusion, X, y, cv=SPLIT, scoring=scoring)["test_score"].max() <= 0

    def test_development_writers_of_the_verifier_alone(self, signatures, model):
        X, y = signatures
        split = WriterSplit(n_references=4, n_queries=4, n_splits=1, random_state=0)
        with pytest.warns(UndefinedMetricWarning, match="by development writers .* if WriterSplit has the same"):
            GridSearchCV(model, {"C": [1]}, cv=split, scoring=make_verification_scorer("frr")).fit(X, y)

    def test_no_scoring(self, signatures, model):
        X, y = signatures
        with pytest.warns(UserWarning, match=r"20 forgeries in y are ignored\. .* scoring=sigkit\.metrics\."):
            cross_validate(model, X, y, cv=SPLIT)
        genuine = y[:, 1] == 0
        assert cross_validate(model, X[genuine], y[genuine], cv=SPLIT)["test_score"].min() > 0.5

    def test_accuracy_as_the_scoring(self, signatures, model):
        X, y = signatures
        # scikit-learn's own error: accuracy cannot compare rows with identified writers.
        with pytest.raises(ValueError, match="mix of multiclass-multioutput and multiclass"):
            cross_validate(model, X, y, cv=SPLIT, scoring="accuracy", error_score="raise")


class TestLabels:
    def test_one_for_genuine(self, signatures, model):
        X, y = signatures
        swapped = np.column_stack([y[:, 0], np.ones(len(y), dtype=int)])
        with pytest.raises(ValueError, match=r"0 \(genuine\), 1 \(skilled\) or 2 .* If 1 means genuine"):
            model.fit(X, swapped)
        with pytest.raises(ValueError, match=r"no genuine trials .* the kinds are 0 \(genuine\)"):
            frr_score(swapped, X[:, 0])

    @pytest.mark.parametrize("name", ["genuine", "is_genuine", "Genuine"])
    def test_a_column_of_genuine_signatures(self, signatures, model, name):
        X, y = signatures
        table = pd.DataFrame({"writer": y[:, 0], name: 1 - y[:, 1]})
        with pytest.raises(ValueError, match=f"The second column of y is '{name}', .* name it forgery"):
            model.fit(X, table)
        model.fit(X, table.assign(forgery=y[:, 1]))

    def test_words_for_kinds(self, signatures, model):
        X, y = signatures
        words = [[writer, "forged" if forgery else "genuine"] for writer, forgery in y.tolist()]
        with pytest.raises(
            ValueError, match=r"0 \(genuine\), 1 \(skilled\) or 2 \(simple\); found 'forged', 'genuine'"
        ):
            model.fit(X, words)


class TestIds:
    def test_a_claim_of_another_type(self, signatures, model):
        X, y = signatures
        advice = "These ids are strings, those of enrolled writers integers, so none is equal"
        model.fit(X, y)
        for call in (model.claim_scores, model.verify):
            with pytest.raises(ValueError, match=f"never enrolled: '5'. Enrolled are 4, 5.* {advice}"):
                call(X[:1], ["5"])
        with pytest.raises(ValueError, match=advice):
            model.remove(["5"])
        with pytest.raises(ValueError, match="no entry for the writers 5; it has those of '5'"):
            model.verify(X[:1], [5], threshold={"5": 1.0})
        names = y[:, 0].astype(str)[y[:, 1] == 0]
        model.set_params(dev_writers=["1", "2", "3"]).fit(X[y[:, 1] == 0], names)
        with pytest.raises(ValueError, match="These ids are integers, those of enrolled writers strings"):
            model.claim_scores(X[:1], [5])
        with pytest.raises(ValueError, match="Enroll them first"):
            model.claim_scores(X[:1], ["9"])

    def test_uuids(self, signatures, model):
        X, y = signatures
        ids = [uuid.UUID(int=writer) for writer in y[:, 0].tolist()]
        expected = r"writer ids are integers or strings; {} has UUID: .* Convert them with str\(\)"
        for target in (ids, np.array(ids), [[one, 0] for one in ids], pd.DataFrame({"writer": ids, "forgery": 0})):
            with pytest.raises(ValueError, match=expected.format("y")):
                model.fit(X, target)
        with pytest.raises(ValueError, match=expected.format("dev_writers")):
            WriterDependentSVC(dev_writers=ids[:1]).fit(X, y)
        with pytest.raises(ValueError, match=expected.format("writers")):
            model.fit(X, y).claim_scores(X[:1], ids[:1])
        model.set_params(dev_writers=[str(uuid.UUID(int=writer)) for writer in DEV]).fit(X, list(map(str, ids)))
        assert len(model.classes_) == 5


@pytest.mark.parametrize(
    ("sizes", "meant"), [({"canvas_size": (260, 120)}, (120, 260)), ({"image_size": (242, 170)}, (260, 120))]
)
def test_turned_sizes(draw_scan, sizes, meant):
    sizes = {"canvas_size": (120, 260), "on_poor_scan": "ignore", **sizes}
    with pytest.warns(UserWarning, match=rf"\(rows, columns\): one is higher .* Was \({meant[0]}, {meant[1]}\) meant"):
        SignaturePreprocessor(**sizes).fit([draw_scan()])


class TestExperiment:
    def test_a_transformer_without_fitted_attributes(self, signatures, model):
        X, y = signatures
        pipe = make_pipeline(Doubler(), model)
        expected = cross_validate(pipe, X, y, cv=SPLIT, scoring=verification_scorer)["test_neg_eer"]
        results = writer_dependent_experiment(pipe, X, y, cv=SPLIT)
        np.testing.assert_array_equal(results.metrics["eer"], -expected)
        fusion = VerifierFusion([("one", pipe)])
        np.testing.assert_array_equal(writer_dependent_experiment(fusion, X, y, cv=SPLIT).metrics["eer"], -expected)

    def test_a_search(self, signatures, model):
        with pytest.raises(ValueError, match=r"must be a verifier, .* found GridSearchCV. Pass the best_estimator_"):
            writer_dependent_experiment(GridSearchCV(model, {}), *signatures, cv=SPLIT)
