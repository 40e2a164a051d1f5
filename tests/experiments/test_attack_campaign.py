"""AttackCampaign: what the attacker knows, the results, and resuming an interrupted campaign."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline

from sigkit._utils import parse_target
from sigkit.attacks import FGM, AnnealingAttack, ArtAttack, Attack, BoundaryAttack
from sigkit.datasets import make_signatures
from sigkit.estimators import (
    AdversarialTrainer,
    BlackBoxVerifier,
    DifferentiableVerifier,
    EnsembleAdversarialTrainer,
    MetaLearnedVerifier,
    WriterDependentSVC,
)
from sigkit.experiments import AttackCampaign
from sigkit.experiments._campaign_attackers import attack_thresholds, attacker_view, fit_attacker
from sigkit.experiments._campaign_queries import choose_queries
from sigkit.experiments._campaign_split import draw_campaign_split
from sigkit.experiments._campaign_systems import fit_system, score_claims
from sigkit.experiments._part_file import pack_part, read_part
from sigkit.metrics import eer_score, eer_threshold
from sigkit.training import MetaTraining, SigNetTraining
from sigkit.transformers import BackgroundRemover, CLBPFeaturizer, SignaturePreprocessor, SigNetFeaturizer

NETWORK = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
OTHER = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=1)
SYSTEMS = {
    "tiny linear": make_pipeline(NETWORK, WriterDependentSVC("linear", random_state=0)),
    "tiny RBF": make_pipeline(NETWORK, WriterDependentSVC(gamma=0.02, random_state=0)),
    "CLBP": make_pipeline(CLBPFeaturizer(None), WriterDependentSVC("linear", scaling="none", random_state=0)),
}
ATTACKS = {
    "FGM": FGM(epsilon=200),
    "boundary": BoundaryAttack(n_steps=20),
    "annealing": AnnealingAttack(n_steps=20),
}
KNOWLEDGE = ("perfect", "limited", "limited-features")
OTHER_FEATURES = {
    name: make_pipeline(OTHER, WriterDependentSVC("linear", random_state=0)) for name in ("tiny linear", "CLBP")
}
DEFENCES = {"otsu": BackgroundRemover(), "otsu, no specks": BackgroundRemover(min_size=8)}
SIZES = {"n_references": 3, "n_queries": 6}
ONE = {"tiny linear": SYSTEMS["tiny linear"]}
QUICK = {"FGM": ATTACKS["FGM"], "annealing": AnnealingAttack(n_steps=5)}


@pytest.fixture(scope="module")
def signatures():
    """Signatures of eight writers, with simple forgeries as skilled ones, which an untrained network cannot detect."""
    sizes = {"n_writers": 8, "n_genuine": 12, "n_skilled": 0, "n_simple": 8}
    scans, target = make_signatures(**sizes, script="latin", scan="two-valued", random_state=2)
    target[:, 1] = target[:, 1] > 0
    preprocessor = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(34, 48), on_poor_scan="ignore")
    return preprocessor.fit_transform(scans), target


def quick(systems=ONE, attacks=QUICK, **settings):
    return AttackCampaign(systems, attacks, **SIZES | {"knowledge": ("perfect",)} | settings)


CAMPAIGN = quick(SYSTEMS, ATTACKS, knowledge=KNOWLEDGE, other_features=OTHER_FEATURES, defences=DEFENCES)


@pytest.fixture(scope="module")
def results(signatures):
    return CAMPAIGN.run(*signatures)


@pytest.fixture(scope="module")
def split(signatures):
    X, y = signatures
    return draw_campaign_split(X, *parse_target(y), CAMPAIGN)


@pytest.fixture(scope="module")
def systems(split):
    return {name: fit_system(estimator, split) for name, estimator in SYSTEMS.items()}


def rows_of(results, **wanted):
    return np.all([results.table[name] == value for name, value in wanted.items()], axis=0)


def pick(results, **wanted):
    rows = rows_of(results, **wanted)
    return {name: column[rows] for name, column in results.table.items()}


def assert_same_table(first, second):
    assert first.table.keys() == second.table.keys()
    for name, column in first.table.items():
        np.testing.assert_array_equal(column, second.table[name], err_msg=name)
    for cell, images in first.images.items():
        np.testing.assert_array_equal(images, second.images[cell])


def test_signatures_of_system_attacker_and_queries_are_disjoint(signatures, split):
    _, y = signatures
    own = list(split.references)
    assert own == list(split.attacker_references) == sorted(own)
    assert len(own) == len(split.attacker_writers) == 4
    assert set(own) | set(split.attacker_writers.tolist()) == set(range(1, 9))
    sides = [np.concatenate([*part.values()]) for part in (split.references, split.attacker_references)] + [
        split.queries
    ]
    for number, rows in enumerate(sides):
        assert np.isin(y[rows, 0], own).all()
        assert not any(np.isin(rows, other).any() for other in sides[number + 1 :])
        assert len(set(rows.tolist())) == len(rows)
    for part in (split.references, split.attacker_references):
        assert all((y[rows] == [writer, 0]).all() and len(rows) == 3 for writer, rows in part.items())
    genuine = split.queries[y[split.queries, 1] == 0]
    assert np.unique(y[genuine, 0], return_counts=True)[1].tolist() == [6] * 4
    assert len(split.queries) - len(genuine) == 4 * 8


def test_systems_are_fitted_to_their_references(signatures, split, systems):
    X, y = signatures
    rows = np.concatenate([*split.references.values()])
    claims = y[split.queries, 0]
    for name, estimator in SYSTEMS.items():
        expected = clone(estimator).fit(X[rows], y[rows])
        assert expected.classes_.tolist() == list(split.references)
        matrix = expected.decision_function(X[split.queries])
        np.testing.assert_allclose(systems[name].matrix, matrix, atol=1e-6)
        scores = matrix[np.arange(len(matrix)), np.searchsorted(expected.classes_, claims)]
        genuine = y[split.queries, 1] == 0
        accepted = scores >= eer_threshold(genuine, scores)
        clear = np.abs(scores - systems[name].threshold) > 1e-5
        np.testing.assert_array_equal((scores >= systems[name].threshold)[clear], accepted[clear])
        assert clear.sum() >= len(scores) - 1
        assert systems[name].eer == eer_score(genuine, scores)


def test_columns_of_the_table(signatures, results, split):
    _, y = signatures
    table = results.table
    n_cells = 3 * 3 * 3 - (2 + 1 * 3)
    assert {len(column) for column in table.values()} == {n_cells * 3 * 12}
    assert results.originals.shape == (12, 34, 48)
    assert set(table["attack"]) == set(ATTACKS)
    assert set(table["knowledge"]) == set(KNOWLEDGE)
    assert set(table["defence"]) == {"none", *DEFENCES}
    signers, forgery = y[table["row"]].T
    for kind, same, forged in (("genuine", True, 0), ("random", False, 0), ("skilled", True, 1)):
        of_kind = table["query"] == kind
        assert of_kind.sum() == n_cells * 3 * 4
        assert ((signers == table["writer"])[of_kind] == same).all()
        assert (forgery[of_kind] == forged).all()
        assert set(table["writer"][of_kind]) == set(split.references)
    assert np.isin(table["row"], split.queries).all()
    assert {system for system, _ in results.eers} == SYSTEMS.keys()
    assert {defence for _, defence in results.eers} == {"none", "otsu", "otsu, no specks"}


def test_queries_are_decided_correctly_by_all_systems(results):
    table = results.table
    np.testing.assert_array_equal(table["score_before"] >= table["threshold"], table["query"] == "genuine")


def test_scores_successes_and_rmse_agree_with_the_images(signatures, results, systems):
    X, _ = signatures
    for (name, known, attack), images in results.images.items():
        outcome = pick(results, system=name, knowledge=known, attack=attack, defence="none")
        np.testing.assert_array_equal(results.originals, X[outcome["row"]])
        assert images.dtype == np.uint8
        estimator = systems[name].estimator
        before, after = (
            estimator[-1].claim_scores(estimator[:-1].transform(each), outcome["writer"])
            for each in (results.originals, images)
        )
        np.testing.assert_allclose(outcome["score_before"], before, atol=1e-5)
        np.testing.assert_allclose(outcome["score_after"], after, atol=1e-5)
        np.testing.assert_array_equal(outcome["threshold"], systems[name].threshold)
        accepted = outcome["score_after"] >= outcome["threshold"]
        np.testing.assert_array_equal(outcome["success"], accepted == (outcome["query"] != "genuine"))
        changes = images.astype(float) - results.originals
        np.testing.assert_allclose(outcome["rmse"], np.sqrt((changes**2).mean(axis=(1, 2))), rtol=1e-5)
    assert results.table["success"].any()
    assert not results.table["success"].all()


def test_success_with_perfect_knowledge_is_that_of_the_system(results):
    outcome = pick(results, knowledge="perfect", attack="FGM", defence="none")
    np.testing.assert_array_equal(outcome["attacker_success"], outcome["success"])
    assert outcome["success"].any()


@pytest.mark.parametrize("name", SYSTEMS)
def test_limited_knowledge_has_the_features_and_other_classifiers(signatures, split, systems, name):
    X, y = signatures
    system = systems[name].estimator
    own = fit_attacker(split, system, fits_features=False)
    assert own[0] is system[0]
    assert own[-1] is not system[-1]
    assert own.classes_.tolist() == list(split.attacker_references)
    is_negative = np.isin(y[:, 0], split.attacker_writers) & (y[:, 1] == 0)
    rows = np.concatenate([np.flatnonzero(is_negative), *split.attacker_references.values()])
    settings = {"dev_writers": split.attacker_writers.tolist(), "n_dev_negatives": 3}
    expected = clone(SYSTEMS[name][-1]).set_params(**settings).fit(system[0].transform(X[rows]), y[rows])
    features = system[0].transform(X)
    np.testing.assert_allclose(own.decision_function(X), expected.decision_function(features), atol=1e-6)
    assert not np.allclose(own.decision_function(X), system.decision_function(X))


def test_limited_features_are_fitted_by_the_attacker(signatures, split):
    X, y = signatures
    own = fit_attacker(split, OTHER_FEATURES["CLBP"], fits_features=True)
    expected = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=1).fit(X)
    np.testing.assert_array_equal(own[0].transform(X), expected.transform(X))
    assert not hasattr(OTHER, "network_")
    trained = make_pipeline(
        SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=1), WriterDependentSVC()
    )
    own = fit_attacker(split, trained, fits_features=True)
    rows = np.concatenate([np.flatnonzero(np.isin(y[:, 0], split.attacker_writers) & (y[:, 1] == 0))])
    rows = np.concatenate([rows, *split.attacker_references.values()])
    expected = clone(trained[0]).fit(X[rows], y[rows])
    np.testing.assert_allclose(own[0].transform(X), expected.transform(X), atol=1e-6)


@pytest.mark.parametrize(("known", "attack"), [("perfect", "FGM"), ("limited", "FGM"), ("limited-features", "FGM")])
def test_images_are_those_of_an_attack_on_the_attackers_verifier(signatures, results, split, systems, known, attack):
    X, _ = signatures
    system = systems["tiny linear"]
    verifier = {
        "perfect": lambda: system.estimator,
        "limited": lambda: fit_attacker(split, system.estimator, fits_features=False),
        "limited-features": lambda: fit_attacker(split, OTHER_FEATURES["tiny linear"], fits_features=True),
    }[known]()
    outcome = pick(results, system="tiny linear", knowledge=known, attack=attack, defence="none")
    images, claims = X[outcome["row"]], outcome["writer"]
    wants = outcome["query"] != "genuine"
    scores = BlackBoxVerifier(verifier)(torch.from_numpy(images), claims).numpy()
    # Where the attacker's own verifier already decides as wanted, the threshold is moved beyond its score.
    thresholds = np.where(
        wants, np.maximum(system.threshold, scores + 1e-3), np.minimum(system.threshold, scores - 1e-3)
    )
    goals = np.where(wants, "accept", "reject")
    attacked = ATTACKS[attack](DifferentiableVerifier(verifier), images, claims, goal=goals, threshold=thresholds)
    assert np.abs(attacked.images - results.images["tiny linear", known, attack].astype(float)).max() <= 1
    np.testing.assert_array_equal(outcome["attacker_success"], attacked.success)
    if known == "perfect":
        np.testing.assert_allclose(thresholds, system.threshold)


def test_attack_thresholds(signatures, split, systems, results):
    X, _ = signatures
    system = systems["tiny linear"]
    verifier = attacker_view(fit_attacker(split, system.estimator, fits_features=False))
    outcome = pick(results, system="tiny linear", knowledge="limited", attack="FGM", defence="none")
    goals = np.where(outcome["query"] == "genuine", "reject", "accept")
    queries = SimpleNamespace(claims=outcome["writer"], goals=goals)
    thresholds = [
        attack_thresholds(verifier, X[outcome["row"]], queries, system.threshold, batch_size)
        for batch_size in (1, 5, 100)
    ]
    np.testing.assert_allclose(thresholds[0], thresholds[2], atol=1e-5)
    np.testing.assert_allclose(thresholds[1], thresholds[2], atol=1e-5)
    scores = verifier(torch.from_numpy(X[outcome["row"]]).float(), outcome["writer"]).numpy()
    as_wanted = (scores >= system.threshold) == (goals == "accept")
    assert as_wanted.any()
    assert not as_wanted.all()
    np.testing.assert_allclose(thresholds[2][~as_wanted], system.threshold)
    np.testing.assert_allclose(np.abs(thresholds[2] - scores)[as_wanted], 1e-3, atol=1e-5)


def test_gradient_attacks_are_not_applicable_without_gradients(results):
    assert results.not_applicable == {
        ("CLBP", "perfect", "FGM"): "the system has no gradients",
        ("CLBP", "limited", "FGM"): "the system has no gradients",
        **{("tiny RBF", "limited-features", attack): "the attacker has no other features" for attack in ATTACKS},
    }
    assert not results.images.keys() & results.not_applicable.keys()
    for attack in ("boundary", "annealing"):
        assert pick(results, system="CLBP", knowledge="perfect", attack=attack)["success"].any()
    # The attacker has a network instead.
    assert rows_of(results, system="CLBP", knowledge="limited-features", attack="FGM").any()


def test_boundary_attack_starts_at_signatures_of_the_attacker(signatures, split, monkeypatch):
    X, _ = signatures
    found, call = {}, BoundaryAttack.__call__

    def recorded(self, verifier, *args, **settings):
        found[len(found)] = self.starts
        return call(self, verifier, *args, **settings)

    monkeypatch.setattr(BoundaryAttack, "__call__", recorded)
    given = {writer: X[rows[2]] for writer, rows in split.attacker_references.items()}
    attacks = {"boundary": BoundaryAttack(n_steps=1), "started": BoundaryAttack(n_steps=1, starts=given)}
    quick(SYSTEMS, attacks, knowledge=KNOWLEDGE, other_features=OTHER_FEATURES).run(*signatures)
    # Cells in turn; "tiny RBF" has no limited-features.
    assert len(found) == 2 * 8
    for number, (known, part) in enumerate(
        zip(KNOWLEDGE, (split.references, split.attacker_references, split.attacker_references))
    ):
        starts = found[2 * number]
        assert starts.keys() == part.keys()
        for writer, rows in part.items():
            np.testing.assert_array_equal(starts[writer], X[rows[0]], err_msg=known)
        assert found[2 * number + 1] is given
    assert not attacks["boundary"].starts


@pytest.mark.parametrize("defence", DEFENCES)
def test_systems_with_a_defence_score_cleaned_images(results, systems, defence):
    for (name, known, attack), images in results.images.items():
        cell = {"system": name, "knowledge": known, "attack": attack}
        reference, outcome = (pick(results, **cell, defence=which) for which in ("none", defence))
        for column in ("writer", "query", "row", "threshold", "score_before", "attacker_success", "rmse"):
            np.testing.assert_array_equal(outcome[column], reference[column])
        cleaned = DEFENCES[defence].fit_transform(images)
        scores = score_claims(systems[name], cleaned, outcome["writer"])
        np.testing.assert_allclose(outcome["score_after"], scores, atol=1e-5)
        as_wanted = (outcome["score_after"] >= outcome["threshold"]) == (outcome["query"] != "genuine")
        np.testing.assert_array_equal(outcome["success"], reference["success"] & as_wanted)


def test_attacks_that_fail_without_a_defence_fail_with_it(results):
    reference, outcome = (pick(results, defence=defence) for defence in ("none", "otsu"))
    as_wanted = (outcome["score_after"] >= outcome["threshold"]) == (outcome["query"] != "genuine")
    assert (as_wanted & ~reference["success"]).any()
    assert not (outcome["success"] & ~reference["success"]).any()
    assert (reference["success"] & ~outcome["success"]).any()


def test_summary(results):
    summary = results.summary()
    assert len(summary) == len(results.images) * 3
    for row in summary:
        outcome = pick(results, **{name: row[name] for name in ("system", "knowledge", "attack", "defence")})
        for kind in ("genuine", "random", "skilled"):
            won = outcome["success"][outcome["query"] == kind]
            assert row[kind] == won.mean()
            if won.any():
                assert row[f"{kind}_rmse"] == np.median(
                    outcome["rmse"][outcome["success"] & (outcome["query"] == kind)]
                )
            else:
                assert np.isnan(row[f"{kind}_rmse"])
    assert [row["attack"] for row in summary[:9:3]] == list(ATTACKS)


def test_str(results):
    text = str(results)
    lines = text.splitlines()
    assert lines[0].startswith("| system | knowledge | attack | defence | type I | RMSE |")
    assert len(lines[2 : 2 + len(results.summary())]) == len(results.images) * 3
    first = results.summary()[0]
    expected = [f"{100 * first['genuine']:.0f} %", f"{first['genuine_rmse']:.2f}"]
    assert [cell.strip() for cell in lines[2].split("|")[5:7]] == expected
    assert "nan" not in text
    assert any(line.startswith("Not applicable to CLBP: the system has no gradients (perfect: FGM") for line in lines)
    for (name, defence), eer in results.eers.items():
        assert f"EER of {name}, not attacked, defence {defence}: {100 * eer:.2f} %." in lines


def test_names_are_printed_unchanged(signatures):
    text = str(quick({"Hernandez": ONE["tiny linear"]}, {"nano": FGM(epsilon=1e-3)}).run(*signatures))
    assert "| Hernandez | perfect | nano | none | 0 % | - |" in text


def test_inapplicable_attacks_are_printed_with_the_knowledge(signatures):
    results = quick(attacks={"FGM": FGM()}, knowledge=("perfect", "limited-features")).run(*signatures)
    assert len(results.images) == 1
    [line] = [line for line in str(results).splitlines() if line.startswith("Not applicable")]
    # It was applicable with perfect knowledge.
    assert "limited-features" in line


def test_campaign_without_applicable_attacks(signatures):
    results = quick({"CLBP": SYSTEMS["CLBP"]}, {"FGM": FGM()}).run(*signatures)
    assert results.summary() == []
    assert results.images == {}
    assert "Not applicable to CLBP: the system has no gradients (perfect: FGM)." in str(results)


def test_plots(results):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    cell = ("tiny linear", "limited", "boundary")
    figure = results.plot(*cell, n_queries=12)
    axes = np.array(figure.axes).reshape(-1, 3)
    assert len(axes) == 12
    outcome = pick(results, **dict(zip(("system", "knowledge", "attack"), cell)), defence="none")
    order = sorted(range(12), key=lambda number: not outcome["success"][number])
    for number, (original, attacked, difference) in zip(order, axes):
        np.testing.assert_array_equal(255 - original.images[0].get_array(), results.originals[number])
        np.testing.assert_array_equal(255 - attacked.images[0].get_array(), results.images[cell][number])
        change = results.images[cell][number].astype(float) - results.originals[number]
        np.testing.assert_array_equal(difference.images[0].get_array(), np.clip(127.5 + 20 * change, 0, 255))
        assert original.get_title() == f"{outcome['query'][number]}, score {outcome['score_before'][number]:.2f}"
        assert (
            f"{outcome['score_after'][number]:.2f}, threshold {outcome['threshold'][number]:.2f}"
            in attacked.get_title()
        )
        assert f"RMSE {outcome['rmse'][number]:.2f}" in difference.get_title()
    plt.close(figure)
    figure = results.plot(*cell, query="skilled")
    assert len(figure.axes) == 9
    assert all(ax.get_title().startswith("skilled") for ax in figure.axes[::3])
    plt.close(figure)
    with pytest.raises(ValueError, match=r"no attack \('CLBP', 'perfect', 'FGM'\); found \[\('CLBP', "):
        results.plot("CLBP", "perfect", "FGM")
    with pytest.raises(ValueError, match="No query of the kind 'simple' was attacked"):
        results.plot(*cell, query="simple")
    assert not plt.get_fignums()


@pytest.fixture
def calls(monkeypatch):
    """Names of the attacks that were run."""
    made, call = [], Attack.__call__

    def recorded(self, *args, **settings):
        made.append(type(self).__name__)
        return call(self, *args, **settings)

    monkeypatch.setattr(Attack, "__call__", recorded)
    return made


def npz_files(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix == ".npz"}


def test_an_interrupted_campaign_is_resumed(signatures, tmp_path, monkeypatch):
    settings = {"knowledge": ("perfect", "limited"), "defences": DEFENCES}
    systems = {name: SYSTEMS[name] for name in ("tiny linear", "CLBP")}
    whole = quick(systems, **settings).run(*signatures)
    made, call = [], Attack.__call__

    def interrupted(self, *args, **arguments):
        made.append(type(self).__name__)
        if len(made) == 3:
            raise KeyboardInterrupt
        return call(self, *args, **arguments)

    monkeypatch.setattr(Attack, "__call__", interrupted)
    campaign = quick(systems, **settings, folder=tmp_path / "kept")
    with pytest.raises(KeyboardInterrupt):
        campaign.run(*signatures)
    before = npz_files(tmp_path / "kept")
    assert len(before) == 2
    results = campaign.run(*signatures)
    # FGM and annealing against what the attacker has of the network, and annealing against CLBP, two times each.
    assert len(made) == 3 + 4
    assert_same_table(results, whole)
    assert results.not_applicable == whole.not_applicable
    assert results.eers == whole.eers
    after = npz_files(tmp_path / "kept")
    assert len(after) == 6
    assert before.items() <= after.items()
    assert_same_table(campaign.run(*signatures), whole)
    assert len(made) == 3 + 4
    assert npz_files(tmp_path / "kept") == after


def test_attacks_and_knowledge_can_be_added(signatures, tmp_path, calls):
    quick(folder=tmp_path).run(*signatures)
    before = npz_files(tmp_path)
    assert calls == ["FGM", "AnnealingAttack"]
    more = QUICK | {"other FGM": FGM(epsilon=100)}
    settings = {"knowledge": KNOWLEDGE, "other_features": OTHER_FEATURES | {}}
    settings["other_features"].pop("CLBP")
    results = quick(attacks=more, folder=tmp_path, **settings).run(*signatures)
    assert calls[2:] == ["FGM"] + 2 * ["FGM", "AnnealingAttack", "FGM"]
    assert before.items() <= npz_files(tmp_path).items()
    assert_same_table(results, quick(attacks=more, **settings).run(*signatures))


def test_attacks_with_other_parameters_are_run_again(signatures, tmp_path, calls, split):
    X, _ = signatures
    found = []
    for epsilon in (100, 200, 100):
        found.append(quick(attacks={"FGM": FGM(epsilon=epsilon)}, folder=tmp_path).run(*signatures))
    assert len(calls) == 2
    assert_same_table(found[0], found[2])
    assert found[0].table["rmse"].mean() < found[1].table["rmse"].mean()
    calls.clear()
    # Images whose corners look the same.
    for number in (0, 1):
        starts = {writer: X[rows[number]] for writer, rows in split.attacker_references.items()}
        attacks = {"boundary": BoundaryAttack(n_steps=5, starts=starts)}
        kept = quick(attacks=attacks, folder=tmp_path).run(*signatures)
        assert_same_table(kept, quick(attacks=attacks).run(*signatures))
    assert len(calls) == 4


def test_attackers_with_other_features_are_run_again(signatures, tmp_path, calls):
    settings = {"attacks": {"FGM": FGM()}, "knowledge": ("limited-features",), "folder": tmp_path}
    for seed in (1, 2, 1):
        other = {"tiny linear": clone(OTHER_FEATURES["CLBP"]).set_params(signetfeaturizer__random_state=seed)}
        quick(other_features=other, **settings).run(*signatures)
    assert len(calls) == 2


def test_similar_names_have_different_files(signatures, tmp_path):
    attacks = {"FGM 1": FGM(epsilon=1), "FGM-1": FGM(epsilon=300), "a/../b": FGM(epsilon=50)}
    results = quick(attacks=attacks, folder=tmp_path / "kept").run(*signatures)
    assert len(npz_files(tmp_path / "kept")) == 3
    assert os.listdir(tmp_path) == ["kept"]
    assert_same_table(quick(attacks=attacks, folder=tmp_path / "kept").run(*signatures), results)


def test_folder_of_another_campaign(signatures, tmp_path):
    X, y = signatures
    quick(folder=tmp_path).run(X, y)
    other = X.copy()
    other[0, 0, 0] = 9
    changed = {"tiny linear": clone(ONE["tiny linear"]).set_params(writerdependentsvc__C=2.0)}
    for campaign, given, message in [
        (quick(folder=tmp_path, random_state=1), X, r"differ: draws\. draws was .*random_state 0, now it is .*state 1"),
        (quick(folder=tmp_path, n_queries=5), X, "differ: draws"),
        (quick(folder=tmp_path, n_references=2), X, "differ: draws"),
        (quick(changed, folder=tmp_path), X, "differ: system tiny linear"),
        (quick(SYSTEMS, folder=tmp_path), X, "differ: system tiny RBF, system CLBP"),
        (quick(folder=tmp_path), other, "differ: X"),
    ]:
        with pytest.raises(ValueError, match=message):
            campaign.run(given, y)
    with pytest.raises(ValueError, match="differ: y"):
        quick(folder=tmp_path).run(X, np.where(y == 8, 88, y))


def test_damaged_files(signatures, tmp_path):
    campaign = quick(folder=tmp_path)
    expected = campaign.run(*signatures)
    [first] = tmp_path.glob("tiny_linear-perfect-FGM-*.npz")
    [second] = tmp_path.glob("tiny_linear-perfect-annealing-*.npz")
    whole = first.read_bytes()
    first.write_bytes(whole[:200])
    with pytest.raises(ValueError, match=r"tiny_linear-perfect-FGM-\w+\.npz: damaged .* Remove it to compute"):
        campaign.run(*signatures)
    first.write_bytes(second.read_bytes())
    with pytest.raises(ValueError, match=r"FGM-\w+\.npz: is the part 'tiny_linear-perfect-annealing-.* Remove it"):
        campaign.run(*signatures)
    first.unlink()
    assert_same_table(campaign.run(*signatures), expected)
    (tmp_path / "experiment.json").write_text("{")
    with pytest.raises(ValueError, match=r"experiment\.json: damaged"):
        campaign.run(*signatures)


def test_string_writers_lists_and_progress(signatures, capsys):
    X, y = signatures
    names = np.array([[f"w{writer}", kind] for writer, kind in y.tolist()], dtype=object)
    attacks = {"FGM": ATTACKS["FGM"], "boundary": BoundaryAttack(n_steps=3)}
    settings = {"attacks": attacks, "knowledge": ("perfect", "limited")}
    results, expected = quick(**settings, verbose=1).run(list(X), names.tolist()), quick(**settings).run(X, y)
    assert "attacks: 4 of 4" in capsys.readouterr().err
    assert results.table["writer"].tolist() == [f"w{writer}" for writer in expected.table["writer"]]
    for name in ("score_after", "success", "rmse", "row"):
        np.testing.assert_array_equal(results.table[name], expected.table[name])


@pytest.mark.parametrize("dev_writers", [[2, 5], range(2, 4), {2, 5}, np.array([2, 5])])
def test_development_writers_belong_to_the_systems(signatures, dev_writers):
    X, y = signatures
    campaign = quick({"tiny": make_pipeline(NETWORK, WriterDependentSVC("linear", dev_writers=dev_writers))})
    split = draw_campaign_split(X, *parse_target(y), campaign)
    named = set(np.array(list(dev_writers)).tolist())
    assert set(y[split.dev_rows, 0]) == named
    assert not named & ({*split.references} | set(split.attacker_writers.tolist()))
    assert len(split.references) == 3
    table = campaign.run(X, y).table
    np.testing.assert_array_equal(table["score_before"] >= table["threshold"], table["query"] == "genuine")


def test_systems_with_different_development_writers(signatures):
    systems = {
        f"{writer}": make_pipeline(NETWORK, WriterDependentSVC("linear", dev_writers=[writer])) for writer in (1, 2)
    }
    # Each would enroll the other's, and no column would be of the writer that it is taken for.
    with pytest.raises(ValueError, match="dev_writers"):
        quick(systems).run(*signatures)
    with pytest.raises(ValueError, match="dev_writers"):
        quick(ONE | {"2": systems["2"]}).run(*signatures)


def test_adversarially_trained_features(signatures, tmp_path):
    trainer = AdversarialTrainer(SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=0), n_steps=1)
    campaign = quick({"robust": make_pipeline(trainer, WriterDependentSVC("linear"))}, folder=tmp_path)
    results = campaign.run(*signatures)
    assert results.not_applicable == {}
    assert_same_table(campaign.run(*signatures), results)


class Ink(BaseEstimator):
    """Score the difference of mean ink; `slip`, subtracted from claims, is a rounding error."""

    def __init__(self, sign=1, slip=0.0):
        self.sign = sign
        self.slip = slip

    def fit(self, X, y):
        self.classes_ = np.unique(y[:, 0].astype(int))
        self.ink_ = np.array([X[y[:, 0] == writer].mean() for writer in self.classes_])
        return self

    def decision_function(self, X):
        return -self.sign * np.abs(X.mean(axis=(1, 2))[:, None] - self.ink_)

    def claim_scores(self, X, claims):
        return self.decision_function(X)[np.arange(len(X)), np.searchsorted(self.classes_, claims)] - self.slip


@dataclass(frozen=True, kw_only=True)
class Unchanged(Attack):
    """Return the images unchanged."""

    needs_gradient = False

    def _search(self, claims, images, generator):
        return images


@pytest.mark.filterwarnings("ignore:No query of these kinds is decided correctly")
def test_no_success_without_a_perturbation(signatures):
    # The score of a query at the threshold may be smaller by a rounding error in another batch.
    for random_state in range(5):
        campaign = AttackCampaign(
            {"ink": Ink(slip=1e-6)}, {"still": Unchanged()}, n_queries=2, random_state=random_state
        )
        table = campaign.run(*signatures).table
        assert not table["rmse"].any()
        assert not table["success"].any()


def test_queries_that_a_system_decides_wrongly_are_not_attacked(signatures):
    with pytest.warns(UserWarning, match="decided correctly by all systems, so none is attacked: .* of") as warned:
        results = quick({"ink": Ink(sign=0)}, {"still": Unchanged()}).run(*signatures)
    assert warned[0].filename == __file__
    assert 0 < len(results.originals) < 12


def test_no_query_is_decided_correctly_by_all_systems(split):
    accepting, rejecting = (
        SimpleNamespace(matrix=np.full((len(split.queries), 4), score), threshold=0.0) for score in (1.0, -1.0)
    )
    with pytest.warns(UserWarning, match="none is attacked: random of 2, skilled of 2, random of 3"):
        queries = choose_queries({"accepting": accepting}, split, 0)
    assert set(queries.kinds) == {"genuine"}
    with pytest.raises(ValueError, match="No query is decided correctly by all systems: there is nothing to attack"):
        choose_queries({"accepting": accepting, "rejecting": rejecting}, split, 0)


@pytest.mark.parametrize(
    ("campaign", "message"),
    [
        (quick({}), r"systems must be a dict with at least one entry; found \{\}"),
        (quick(attacks={}), r"attacks must be a dict with at least one entry; found \{\}"),
        (quick([SYSTEMS["CLBP"]]), "systems must be a dict"),
        (quick(attacks=[FGM()]), "attacks must be a dict"),
        (quick(knowledge=("perfect", "some")), "knowledge must be of 'perfect', 'limited', .*; found 'some'"),
        (quick(other_features=OTHER_FEATURES), "other_features names 'CLBP', which is not the name of a system"),
        (quick(n_references=0), "n_references must be a positive integer; found 0"),
        (quick(n_queries=2.5), "n_queries must be a positive integer; found 2.5"),
    ],
)
def test_bad_parameters(signatures, campaign, message):
    with pytest.raises(ValueError, match=message):
        campaign.run(*signatures)


def test_bad_signatures(signatures):
    X, y = signatures
    genuine, few = y[:, 1] == 0, y[:, 0] <= 3
    for given, target, message in [
        (X.astype(float), y, r"needs preprocessed images, uint8 .* found float64 of shape \(160, 34, 48\)"),
        (X[0], y, r"found uint8 of shape \(34, 48\). Transform scans with a SignaturePreprocessor first"),
        (X[genuine], y[genuine], r"needs skilled forgeries of the writers: rows \[writer, 1\] in y"),
        (X, y[:, 0], "needs skilled forgeries of the writers"),
        (X[few], y[few], "divides writers between the system and the attacker, at least 2 each; found 3"),
        (X, y[:-1], "X has 160 signatures, but y has 159 rows"),
    ]:
        with pytest.raises(ValueError, match=message):
            quick().run(given, target)


def test_campaigns_repeat_with_unseeded_estimators(signatures):
    # A verifier that draws nothing as a system draws negatives as the attacker's.
    campaign = quick({"tiny": make_pipeline(NETWORK, WriterDependentSVC("linear"))}, knowledge=("perfect", "limited"))
    assert_same_table(campaign.run(*signatures), campaign.run(*signatures))


def test_run_does_not_modify_the_campaign(signatures):
    campaign = quick()
    before = dict(vars(campaign))
    campaign.run(*signatures)
    assert vars(campaign) == before
    assert not any(hasattr(step, "classes_") for step in ONE["tiny linear"])


def test_unseeded_surrogates_repeat(signatures, tmp_path):
    """Surrogates are in a list, into which get_params does not descend."""
    inner = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1))
    trainer = EnsembleAdversarialTrainer(inner, [SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1))])
    systems = {"ensemble": make_pipeline(trainer, WriterDependentSVC("linear"))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, again = (quick(systems, {"FGM": FGM()}, folder=tmp_path / "kept").run(*signatures) for _ in range(2))
    assert_same_table(first, again)
    assert inner.random_state is None


def test_limited_knowledge_of_a_meta_learned_verifier(signatures):
    training = MetaTraining(epochs=1, n_queries=(10, 10, 0))
    model = MetaLearnedVerifier("tiny", n_references=2, adapt="head", training=training, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        campaign = quick({"meta": model.set_params(dev_writers=[1, 2])}, {"FGM": FGM()}, knowledge=("limited",))
        X, y = signatures
        split = draw_campaign_split(X, *parse_target(y), campaign)
        system = fit_system(model, split)
        own = fit_attacker(split, system.estimator, fits_features=False)
    for name, weight in system.estimator.learner_.state_dict().items():
        assert torch.equal(weight, own.learner_.state_dict()[name])
    images, claims = X[split.queries[:4]], split.writers[split.queries[:4]]
    assert not np.allclose(own.claim_scores(images, claims), system.estimator.claim_scores(images, claims))


def test_folder_with_other_systems(signatures, tmp_path):
    quick(SYSTEMS, folder=tmp_path / "kept").run(*signatures)
    with pytest.raises(ValueError, match="another experiment; these differ: systems"):
        quick(ONE, folder=tmp_path / "kept").run(*signatures)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": np.array(5.0)}, "was made with the threshold 5, now it is .* the fitted system is not the same"),
        ({"rows": np.arange(12)}, "was made for other queries: the fitted system is not the same"),
    ],
)
def test_folder_with_another_fitted_system(signatures, tmp_path, change, message):
    quick(attacks={"FGM": FGM()}, folder=tmp_path).run(*signatures)
    [path] = tmp_path.glob("*.npz")
    owner, arrays = read_part(path.read_bytes(), path, "")
    path.write_bytes(pack_part(owner, arrays | change))
    with pytest.raises(ValueError, match=message):
        quick(attacks={"FGM": FGM()}, folder=tmp_path).run(*signatures)


def test_results_are_read_before_anything_is_fitted(signatures, tmp_path, monkeypatch):
    campaign = quick(folder=tmp_path)
    campaign.run(*signatures)
    [last] = tmp_path.glob("*annealing*.npz")
    last.write_bytes(b"")
    monkeypatch.setattr("sigkit.experiments._campaign.fit_system", None)
    with pytest.raises(ValueError, match=r"annealing-\w+\.npz: damaged"):
        campaign.run(*signatures)


def test_a_campaign_in_two_threads(signatures, tmp_path):
    """The threads share a folder; one of them reads what the other has finished meanwhile."""
    attacks = {f"{n_steps} steps": AnnealingAttack(n_steps=n_steps) for n_steps in (2, 3)}
    campaign = quick({"CLBP": SYSTEMS["CLBP"]}, attacks, folder=tmp_path)
    expected = quick({"CLBP": SYSTEMS["CLBP"]}, attacks).run(*signatures)
    with ThreadPoolExecutor(2) as pool:
        for running in [pool.submit(campaign.run, *signatures) for _ in range(2)]:
            assert_same_table(running.result(), expected)
    assert len(npz_files(tmp_path)) == 2
    assert not list(tmp_path.glob("*.unfinished"))


def test_attacks_are_identified_by_their_parameters(signatures, tmp_path):
    starts = [{writer: torch.full((34, 48), grey) for writer in range(1, 9)} for grey in (200.0, 255.0)]
    for number in (0, 0, 1):
        attacks = {"boundary": BoundaryAttack(n_steps=2, starts=starts[number])}
        quick(attacks=attacks, folder=tmp_path / "kept").run(*signatures)
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 2
    unnamed = {"art": ArtAttack(make=lambda classifier: classifier)}
    with pytest.raises(ValueError, match=r"make must be a named function of a module, not a lambda"):
        quick(attacks=unnamed, folder=tmp_path / "other").run(*signatures)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"defences": [BackgroundRemover()]}, "defences must be a dict"),
        ({"defences": {"none": BackgroundRemover()}}, "'none' stands for no defence"),
        ({"attacks": {1: FGM()}}, "attacks must have strings as names"),
        ({"attacks": {"FGM": FGM}}, "'FGM' must be a sigkit.attacks.Attack"),
        ({"knowledge": "perfect"}, "knowledge must be a list of strings"),
        ({"random_state": None}, "random_state must be an integer"),
        (
            {"systems": {"scans": make_pipeline(SignaturePreprocessor(), NETWORK, WriterDependentSVC())}},
            "'scans' has a SignaturePreprocessor, but a campaign attacks preprocessed images",
        ),
        (
            {"systems": {"scans": make_pipeline(SignaturePreprocessor(), NETWORK, WriterDependentSVC())}}
            | {"other_features": {"scans": ONE["tiny linear"]}},
            "'scans' has a SignaturePreprocessor",
        ),
    ],
)
def test_parameters_are_checked_before_anything_is_fitted(signatures, settings, message):
    with pytest.raises(ValueError, match=message):
        quick(**settings).run(*signatures)


def test_writers_with_too_few_signatures(signatures):
    X, y = signatures
    kept = np.ones(len(y), dtype=bool)
    for writer in range(1, 9):
        kept[np.flatnonzero((y[:, 0] == writer) & (y[:, 1] == 0))[2:]] = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="fewer than 3 distinct genuine signatures"):
            quick().run(X[kept], y[kept])


def test_defences_are_cloned(signatures):
    remover = BackgroundRemover()
    quick(attacks={"FGM": FGM()}, defences={"otsu": remover}).run(*signatures)
    assert not hasattr(remover, "image_shape_in_")
