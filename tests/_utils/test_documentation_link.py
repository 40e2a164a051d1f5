"""Links from estimators to their pages, and signatures that can be read."""

import importlib
import inspect
import pkgutil

import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

import sigkit
from sigkit._utils import DOCUMENTATION
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import verification_report
from sigkit.transformers import SignaturePreprocessor

ROOMS = [room.name for room in pkgutil.iter_modules(sigkit.__path__) if room.ispkg and not room.name.startswith("_")]


def public(of):
    for room in ROOMS:
        module = importlib.import_module(f"sigkit.{room}")
        for name in module.__all__:
            if of(getattr(module, name)):
                yield f"sigkit.{room}.{name}", getattr(module, name)


def is_estimator(thing):
    return inspect.isclass(thing) and issubclass(thing, BaseEstimator)


@pytest.mark.parametrize(("name", "estimator"), list(public(is_estimator)))
def test_every_estimator_links_to_its_own_page(name, estimator):
    # `_get_doc_link` uses the class only; some constructors have required parameters.
    assert estimator.__new__(estimator)._get_doc_link() == f"{DOCUMENTATION}/generated/{name}.html"


def test_the_html_of_a_pipeline_links_to_each_step():
    html = make_pipeline(SignaturePreprocessor(), WriterDependentSVC())._repr_html_()
    for name in ("transformers.SignaturePreprocessor", "estimators.WriterDependentSVC"):
        assert f"{DOCUMENTATION}/generated/sigkit.{name}.html" in html


@pytest.mark.parametrize(("name", "function"), list(public(inspect.isfunction)))
def test_signatures_do_not_list_unions_of_numpy(name, function):
    assert "_SupportsArray" not in str(inspect.signature(function))


def test_the_signature_of_a_report_names_its_arguments():
    assert str(inspect.signature(verification_report)).startswith("(y_true: 'ArrayLike', y_score: 'ArrayLike', *, ")
