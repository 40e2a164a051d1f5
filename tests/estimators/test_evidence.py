import hashlib
import io
import re
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils import Bunch

from sigkit.datasets import make_signatures
from sigkit.estimators import (
    ClaimReportDisplay,
    LikelihoodRatioCalibrator,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
    WrongDecisionsDisplay,
)
from sigkit.estimators._evidence._aligned_strokes import align_strokes
from sigkit.imaging import ImageError
from sigkit.metrics import wrong_decisions
from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor, StrokeFeaturizer

matplotlib.use("Agg")
DEV = [1, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def corpus():
    scans, target = make_signatures(n_writers=7, n_genuine=5, n_skilled=2, random_state=0)
    return Bunch(scans=scans, target=target)


def rows_of(corpus, writer, forgery=0):
    return [scan for scan, row in zip(corpus.scans, corpus.target.tolist()) if row == [writer, forgery]]


def fusion():
    svm = make_pipeline(CLBPFeaturizer(), WriterDependentSVC(dev_writers=DEV))
    strokes = make_pipeline(StrokeFeaturizer(), StrokeMatcher(dev_writers=DEV))
    return VerifierFusion([("svm", svm), ("strokes", strokes)], dev_writers=DEV)


def shadowed(scan):
    return np.clip(scan * np.linspace(0.3, 1.1, scan.shape[1]), 0, 255).astype(np.uint8)


PREPROCESS = SignaturePreprocessor(canvas_size=(765, 1089), on_poor_scan="ignore")


def fit(model, corpus):
    """Enroll the writers 6 and 7 with their first four signatures."""
    known = [row for row, (writer, _) in enumerate(corpus.target.tolist()) if writer in DEV or row % 7 < 4]
    return model.fit([corpus.scans[row] for row in known], corpus.target[known])


@pytest.fixture(scope="module")
def pipe(corpus):
    verifier = OperatingPointVerifier(fusion(), n_draws=1, level=0.1, n_references=3, random_state=0)
    return fit(make_pipeline(PREPROCESS, verifier), corpus)


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


class TestClaimReport:
    def test_facts(self, corpus, pipe):
        references, query = rows_of(corpus, 6)[:4], rows_of(corpus, 6)[4]
        display = ClaimReportDisplay.from_estimator(pipe, query, 6, references=references)
        facts, images = display.facts, pipe[0].transform([query])
        assert facts.score == pipe[-1].claim_scores(images, [6])[0]
        assert facts.threshold == pipe[-1].threshold_
        assert facts.accepted == pipe[-1].verify(images, [6])[0]
        weights = pipe[-1].verifier_.weights_
        assert list(facts.parts) == ["svm", "strokes"]
        assert facts.score == pytest.approx(weights @ np.clip(list(facts.parts.values()), [-np.inf, -2], [np.inf, 2]))
        assert [scan["copy"] for scan in facts.scans] == [""] * 5
        assert -3 < facts.log10_lr < 3
        shown = ["query", *(f"reference {1 + number}" for number in facts.order[:3])]
        assert list(display.axes_) == [*shown, "alignment", "direction", "pressure", "scores"]
        assert "this claim" in [text.get_text() for text in display.axes_["scores"].get_legend().get_texts()][-1]

    def test_parts_add_up(self, corpus, pipe):
        far, near = rows_of(corpus, 7)[0], rows_of(corpus, 6)[4]
        display = ClaimReportDisplay.from_estimator(pipe, far, 6, references=rows_of(corpus, 6)[:2])
        facts, page = display.facts, display.to_html()
        assert facts.parts["svm"] < -0.5
        assert facts.parts["strokes"] != -2
        assert "not counted, because the score of svm is below reach=-0.5; the lowest score, -2, is counted" in page
        assert f"1 x ({facts.parts['svm']:.4f}) + 0.4 x (-2.0000) = {facts.score:.4f}<" in page
        assert facts.sum_of_parts.total == pytest.approx(facts.score, abs=1e-12)
        display = ClaimReportDisplay.from_estimator(pipe, near, 6, references=rows_of(corpus, 6)[:2])
        facts, page = display.facts, display.to_html()
        assert f"{facts.parts['svm']:.4f}) + 0.4 x ({facts.parts['strokes']:.4f}) = {facts.score:.4f}<" in page
        assert "counted as" not in page
        assert "not counted" not in page

    def test_parts_with_bounds_and_learned_weights(self, corpus):
        model = fusion().set_params(weights="learned", reach=-np.inf, bounds=(-0.1, 0.1), random_state=0)
        model = fit(make_pipeline(PREPROCESS, model), corpus)
        query, references = rows_of(corpus, 7)[0], rows_of(corpus, 6)[:2]
        display = ClaimReportDisplay.from_estimator(model, query, 6, references=references)
        facts, page = display.facts, display.to_html()
        assert f"{facts.parts['strokes']:.4f}, counted as -0.1, the bound of such scores" in page
        assert "not counted" not in page
        assert facts.sum_of_parts.intercept != 0
        assert f"+ ({facts.sum_of_parts.intercept:.4f}) = {facts.score:.4f}<" in page
        assert facts.sum_of_parts.total == pytest.approx(facts.score, abs=1e-12)

    def test_page_loads_nothing_and_escapes_names(self, corpus, pipe, tmp_path):
        paths = [tmp_path / name for name in ("<script>alert(1)<", "b.png", "c.png")]
        for path, scan in zip(paths, rows_of(corpus, 7)[::-1]):
            Image.fromarray(scan).save(path, format="PNG")
        display = ClaimReportDisplay.from_estimator(pipe, paths[0], 7, references=paths[1:])
        page = display.to_html(tmp_path / "p.html")
        assert (tmp_path / "p.html").read_text(encoding="utf-8") == page
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "http:" not in page
        assert "https:" not in page
        assert set(re.findall(r'(?:src|href)="([a-z]+:)', page)) == {"data:"}
        assert str(tmp_path) not in page
        for part in ("Operating point", "Likelihood ratio", "scikit-learn", "OperatingPointVerifier(", "SHA-256"):
            assert part in page

    def test_replays(self, corpus, pipe):
        references = rows_of(corpus, 6)[:4]
        with pytest.warns(UserWarning, match=r"copies of references: query 0 \(writer 6, reference 2\)"):
            display = ClaimReportDisplay.from_estimator(pipe, references[2], 6, references=references)
        assert [scan["copy"] for scan in display.facts.scans] == ["", "", "", "pixels", ""]
        assert display.facts.order[0] == 2
        assert display.facts.log10_lr is None
        warning = "Replay: the query has the same pixels as reference 3. Its score confirms nothing."
        assert warning in display.to_html()
        assert "by the score, but the query is a copy" in display.figure_.get_suptitle()
        assert display.figure_.get_supxlabel() == warning

    def test_verifiers_with_less(self, corpus):
        references, query = rows_of(corpus, 6)[:4], rows_of(corpus, 6)[4]
        svm = make_pipeline(PREPROCESS, CLBPFeaturizer(), WriterDependentSVC(dev_writers=DEV))
        for model, has_strokes in ((make_pipeline(PREPROCESS, fusion()), True), (svm, False)):
            display = ClaimReportDisplay.from_estimator(fit(model, corpus), query, 6, references=references)
            assert display.facts.log10_lr is None
            assert display.facts.trials is None
            assert (display.facts.strokes is not None) == has_strokes
            assert ("direction" in display.axes_, "scores" in display.axes_) == (has_strokes, False)
            assert "Likelihood" not in display.to_html()

    def test_likelihood_ratios_are_those_of_the_verifier(self, corpus):
        inner = make_pipeline(PREPROCESS, CLBPFeaturizer(), WriterDependentSVC(dev_writers=DEV))
        model = fit(LikelihoodRatioCalibrator(inner, n_draws=1, n_references=3, random_state=0), corpus)
        query = rows_of(corpus, 6, 1)[0]
        facts = ClaimReportDisplay.from_estimator(model, query, 6, references=rows_of(corpus, 6)[:4]).facts
        assert facts.log10_lr == facts.score
        assert facts.threshold == 0

    def test_scores_before_calibration(self, corpus):
        calibrated = LikelihoodRatioCalibrator(fusion(), n_draws=1, n_references=3, random_state=0)
        model = fit(make_pipeline(PREPROCESS, OperatingPointVerifier(calibrated, level=0.2, random_state=0)), corpus)
        query, references = rows_of(corpus, 6)[4], rows_of(corpus, 6)[:4]
        display = ClaimReportDisplay.from_estimator(model, query, 6, references=references)
        facts, among, inner = display.facts, display.facts.among, model[-1].verifier_
        assert among.score == inner.verifier_.claim_scores(model[0].transform([query]), [6])[0]
        accepted = inner.development_trials_.y_score >= facts.threshold
        assert among.threshold is None or np.array_equal(among.y_score >= among.threshold, accepted)
        assert display.axes_["scores"].get_xlabel() == "Score before calibration"
        assert facts.is_lr_limit == (facts.log10_lr in inner.calibrator_.bounds_)
        assert ("the limit of what" in display.figure_.get_suptitle()) == facts.is_lr_limit
        count = int((among.y_score[among.kind == "genuine"] < among.score).sum())
        assert f"<th>Genuine, lower score</th><td>{count} of {(among.kind == 'genuine').sum()}" in display.to_html()

    def test_scans_that_are_not_enrolled(self, corpus, pipe):
        references = [*rows_of(corpus, 6)[:2], *rows_of(corpus, 6, 1)[:1], rows_of(corpus, 7)[0]]
        display = ClaimReportDisplay.from_estimator(pipe, rows_of(corpus, 6)[4], 6, references=references)
        assert [scan["is_enrolled"] for scan in display.facts.scans] == [True, True, True, False, False]
        warning = "Not enrolled for the claimed writer: reference 3, reference 4."
        assert display.figure_.get_supxlabel() == warning
        assert warning in display.to_html()
        # A copy of a reference that is enrolled but not among the scans.
        query = rows_of(corpus, 6)[3]
        with pytest.warns(UserWarning, match="copies of references"):
            display = ClaimReportDisplay.from_estimator(pipe, query, 6, references=references[:2])
        assert "the query equals an enrolled reference" in display.figure_.get_supxlabel()
        assert display.facts.log10_lr is None

    def test_quality_is_that_of_the_preprocessor(self, corpus, pipe):
        query, references = rows_of(corpus, 6)[4], rows_of(corpus, 6)[:2]
        dark = shadowed(query)
        display = ClaimReportDisplay.from_estimator(pipe, dark, 6, references=references)
        assert list(display.facts.scans[0]["problems"]) == ["shadow"]
        adaptive = make_pipeline(PREPROCESS.__class__(canvas_size=(765, 1089), background="adaptive"), fusion())
        display = ClaimReportDisplay.from_estimator(fit(adaptive, corpus), dark, 6, references=references)
        assert "shadow" not in display.facts.scans[0]["problems"]

    def test_poor_scans_are_inconclusive(self, corpus, pipe):
        query, references = shadowed(rows_of(corpus, 6)[4]), rows_of(corpus, 6)[:2]
        display = ClaimReportDisplay.from_estimator(pipe, query, 6, references=references)
        page, title = display.to_html(), display.figure_.get_suptitle()
        assert (display.facts.is_poor, display.facts.log10_lr) == (True, None)
        for text in (page, title):
            assert "nconclusive, because the query is a poor scan: shadow" in text
            for word in ("accepted", "rejected", "Likelihood ratio", "probable", "support"):
                assert word not in text.split("<h2>")[0]
        assert "The query is a poor scan. Shadow (46% counts as ink)." in page
        assert "Shadow (46% counts as ink)." in display.figure_.get_supxlabel()
        assert f"Score {display.facts.score:.3f}, threshold" in title
        # A poor reference does not change the decision.
        display = ClaimReportDisplay.from_estimator(pipe, rows_of(corpus, 6)[4], 6, references=[query, *references])
        assert not display.facts.is_poor
        assert display.facts.log10_lr is not None

    def test_scores_that_are_likelihood_ratios_are_not_stated(self, corpus):
        model = make_pipeline(
            PREPROCESS, LikelihoodRatioCalibrator(fusion(), n_draws=1, n_references=3, random_state=0)
        )
        query, references = shadowed(rows_of(corpus, 6)[4]), rows_of(corpus, 6)[:4]
        display = ClaimReportDisplay.from_estimator(fit(model, corpus), query, 6, references=references)
        assert display.facts.log10_lr is None
        [before] = model[-1].verifier_.claim_scores(model[0].transform([query]), [6])
        page = display.to_html()
        assert f"<th>Score before calibration</th><td>{before:.4f}</td>" in page
        assert "<th>Score</th>" not in page
        assert f"{display.facts.score:.3f}" not in display.figure_.get_suptitle()

    def test_preprocessed_images_are_no_poor_scans(self, corpus, pipe):
        query, *references = pipe[0].transform([rows_of(corpus, 6)[4], *rows_of(corpus, 6)[:2]])
        display = ClaimReportDisplay.from_estimator(pipe[-1], query, 6, references=references)
        assert [scan["problems"] for scan in display.facts.scans] == [{}] * 3
        assert display.facts.log10_lr is not None
        assert "<td>Not judged: no step preprocesses scans.</td>" in display.to_html()

    def test_contents_of_files(self, corpus, pipe):
        contents = [io.BytesIO() for _ in range(5)]
        for content, scan in zip(contents, rows_of(corpus, 6)):
            Image.fromarray(scan).save(content, format="PNG")
        references = rows_of(corpus, 6)[:4]
        expected = ClaimReportDisplay.from_estimator(pipe, rows_of(corpus, 6)[4], 6, references=references).facts
        for query in (contents[4], contents[4].getvalue()):
            facts = ClaimReportDisplay.from_estimator(pipe, query, 6, references=contents[:4]).facts
            assert (facts.score, facts.order) == (expected.score, expected.order)
            assert facts.scans[0]["digest"] == hashlib.sha256(contents[4].getvalue()).hexdigest()
            assert all(scan["is_enrolled"] for scan in facts.scans)

    def test_names_with_dollar_signs(self, corpus, pipe, tmp_path):
        path = tmp_path / "$a & b$.png"
        Image.fromarray(rows_of(corpus, 6)[4]).save(path)
        display = ClaimReportDisplay.from_estimator(pipe, path, 6, references=rows_of(corpus, 6)[:2])
        assert r"\$a & b\$.png" in display.axes_["query"].get_title()

    def test_no_information(self, corpus, pipe):
        references, query = rows_of(corpus, 6)[:4], rows_of(corpus, 6)[4]
        display = ClaimReportDisplay.from_estimator(pipe, query, 6, references=references)
        display.facts.update(score=-10.0, accepted=False, has_information=False, log10_lr=None, strokes=None)
        display.plot()
        assert "rejected: no information" in display.to_html()
        assert display.axes_["scores"].get_xlim()[0] > -9
        assert len(display.axes_["scores"].lines) == 1

    def test_errors(self, corpus, pipe, monkeypatch):
        references = rows_of(corpus, 6)[:4]
        with pytest.raises(ValueError, match="never enrolled: 9"):
            ClaimReportDisplay.from_estimator(pipe, references[0], 9, references=references)
        with pytest.raises(ValueError, match="references is empty"):
            ClaimReportDisplay.from_estimator(pipe, references[0], 6, references=[])
        with pytest.raises(ValueError, match="references is empty"):
            ClaimReportDisplay.from_estimator(pipe, references[0], 6, references=None)
        with pytest.raises(ValueError, match=r"id of one writer; found \[6\]"):
            ClaimReportDisplay.from_estimator(pipe, references[0], [6], references=references)
        with pytest.raises(ValueError, match=r"must be a verifier, .* found SVC"):
            ClaimReportDisplay.from_estimator(SVC(), references[0], 6, references=references)
        with pytest.raises(ImageError, match=r"absent\.png"):
            ClaimReportDisplay.from_estimator(pipe, "absent.png", 6, references=references)
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
        with pytest.raises(ImportError, match="ClaimReportDisplay needs matplotlib"):
            ClaimReportDisplay.from_estimator(pipe, references[0], 6, references=references)


class TestAlignedStrokes:
    @pytest.fixture
    def points(self, corpus):
        images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(corpus.scans[:2])
        moved = np.roll(images[0], (3, 5), axis=(0, 1))
        return StrokeFeaturizer().fit_transform(np.stack([images[0], moved, images[1], np.zeros_like(moved)]))

    def test_a_moved_signature_agrees_everywhere(self, points):
        strokes = align_strokes(points[0], points[1])
        np.testing.assert_allclose(strokes.moved_x - strokes.x, 5, atol=0.5)
        np.testing.assert_allclose(strokes.moved_y - strokes.y, 3, atol=0.5)
        assert strokes.direction.min() > 0.9
        assert np.abs(strokes.pressure).max() < 0.1

    def test_another_signature_agrees_less(self, points):
        strokes = align_strokes(points[0], points[2])
        assert strokes.direction.mean() < 0.9
        assert -1 <= strokes.direction.min() <= strokes.direction.max() <= 1
        assert np.nanstd(strokes.pressure) > 0.05

    def test_no_ink(self, points):
        assert align_strokes(points[0], points[3]) is None


class TestWrongDecisions:
    def test_pictures(self, corpus, tmp_path):
        scans, target = corpus.scans[-7:], corpus.target[-7:]
        scores = np.array([1, -2, 1, 1, -1, 3, -1.0])
        paths = [str(tmp_path / f"{row}.png") for row in range(7)]
        for path, scan in zip(paths, scans):
            Image.fromarray(scan).save(path)
        (tmp_path / "4.png").write_bytes(b"damaged")
        for X in (scans, paths):
            display = WrongDecisionsDisplay.from_predictions(X, target, scores)
            assert display.wrong.row.tolist() == wrong_decisions(target, scores).row.tolist() == [5, 1, 4]
            assert "2 genuine signatures rejected, 1 forgeries accepted; 3 of 3" in display.figure_.get_suptitle()
            assert "writer 7, skilled, score 3.00" in display.axes_[0].get_title()
            shown = [len(axes.images) for axes in display.axes_]
            assert shown == ([1, 1, 1] if X is scans else [1, 1, 0])
        assert len(WrongDecisionsDisplay.from_predictions(scans, target, scores, n_shown=1).axes_) == 1
        assert len(WrongDecisionsDisplay.from_predictions(scans, target, [1, 1, 1, 1, 1, -1, -1]).axes_) == 0

    def test_errors(self, corpus):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            WrongDecisionsDisplay.from_predictions(corpus.scans[:2], corpus.target[:3], [1, 2, 3])
        with pytest.raises(ValueError, match="n_shown"):
            WrongDecisionsDisplay.from_predictions(corpus.scans[-7:], corpus.target[-7:], np.zeros(7), n_shown=0)
