"""Collections without an order, or with masked values, are refused where their items belong to those of another one."""

from collections import OrderedDict

import numpy as np
import pytest

from sigkit._utils import check_ordered
from sigkit.attacks import FGM
from sigkit.datasets import save_npz
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.experiments import AttackCampaign, writer_dependent_experiment
from sigkit.metrics import eer_score, verification_report
from sigkit.model_selection import WriterSplit
from sigkit.transformers import BackgroundRemover, CLBPFeaturizer, SignaturePreprocessor, SigNetFeaturizer

KINDS = {
    "set": lambda items: set(items),
    "frozenset": lambda items: frozenset(items),
    "dict": lambda items: dict.fromkeys(items),
    "OrderedDict": lambda items: OrderedDict.fromkeys(items),
    "dict_keys": lambda items: dict.fromkeys(items).keys(),
    "dict_values": lambda items: dict(enumerate(items)).values(),
    "generator": lambda items: (item for item in items),
    "map": lambda items: map(str, items),
}
Y = np.repeat(["ada", "bob"], 4)
X = np.arange(32.0).reshape(8, 4)
IMAGES = np.zeros((8, 20, 30), dtype=np.uint8)

TAKERS = {
    "SignaturePreprocessor.fit": lambda X: SignaturePreprocessor().fit(X),
    "SignaturePreprocessor.fit_transform": lambda X: SignaturePreprocessor(canvas_size=(85, 121)).fit_transform(X),
    "SignaturePreprocessor.transform": lambda X: SignaturePreprocessor(canvas_size=(85, 121)).fit(["a"]).transform(X),
    "BackgroundRemover": lambda X: BackgroundRemover().fit(X),
    "CLBPFeaturizer": lambda X: CLBPFeaturizer().fit(X),
    "SigNetFeaturizer": lambda X: SigNetFeaturizer().fit(X, Y),
    "WriterDependentSVC": lambda X: WriterDependentSVC().fit(X, Y),
    "WriterDependentSVC, y": lambda y: WriterDependentSVC().fit(X, y),
    "WriterDependentSVC.decision_function": lambda queries: WriterDependentSVC().fit(X, Y).decision_function(queries),
    "WriterDependentSVC.claim_scores": lambda claims: WriterDependentSVC().fit(X, Y).claim_scores(X, claims),
    "MetaLearnedVerifier": lambda X: MetaLearnedVerifier().fit(X, Y),
    "WriterSplit": lambda X: next(WriterSplit(2, 2).split(X, Y)),
    "WriterSplit, y": lambda y: next(WriterSplit(2, 2).split(X, y)),
    "writer_dependent_experiment": lambda X: writer_dependent_experiment(
        WriterDependentSVC(), X, Y, cv=WriterSplit(2, 2)
    ),
    "AttackCampaign": lambda X: AttackCampaign({"svc": WriterDependentSVC()}, {"fgm": FGM(norm=2)}).run(X, Y),
    "save_npz": lambda X: save_npz("never-written.npz", X, Y),
    "save_npz, filenames": lambda names: save_npz("never-written.npz", IMAGES, Y, names),
    "eer_score": lambda y_true: eer_score(y_true, np.zeros(8)),
    "verification_report": lambda scores: verification_report([0, 1], scores),
    "an attack": lambda images: FGM(norm=2)(lambda images, claims: images.sum(), images),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("taker", TAKERS)
def test_they_are_refused(kind, taker):
    items = KINDS[kind](["ada.png", "bob.png"])
    with pytest.raises(ValueError, match=rf"is a {kind}, whose items .*\. Pass a list or an array\."):
        TAKERS[taker](items)


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("taker", TAKERS)
def test_masked_values_are_refused(taker, as_list):
    masked = np.ma.array(np.ones((8, 4)), mask=[[False] * 4] * 7 + [[True] + [False] * 3])
    with pytest.raises(ValueError, match=r"Input \w+ contains masked values\. Leave out their rows\."):
        TAKERS[taker](list(masked) if as_list else masked)


def test_a_masked_query_is_no_acceptance():
    verifier = WriterDependentSVC().fit(X, Y)
    query = np.ma.array(X[:1], mask=True)
    for method in (verifier.claim_scores, verifier.verify):
        with pytest.raises(ValueError, match="Input X contains masked values"):
            method(query, ["ada"])


@pytest.mark.parametrize(
    "ordered", [["a"], ("a",), np.array(["a"]), np.ma.array([1.0], mask=False), range(3), "text", None, 7]
)
def test_others_are_not(ordered):
    check_ordered(ordered)
