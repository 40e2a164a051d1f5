"""Results that sigver pickled, read without unpickling."""

import os
import pickle

import numpy as np
import pytest

from sigkit.experiments import load_sigver_results
from sigkit.metrics import verification_report

NAMES = "FRR", "FAR_random", "FAR_skilled", "EER", "EER_userthresholds", "mean_AUC", "global_threshold"


def make_results(n_splits=2, n_users=3, shape=(), dtype=np.float64):
    rng = np.random.default_rng(0)
    splits = []
    for _ in range(n_splits):
        centers = {"genuinePreds": 1, "randomPreds": -2, "skilledPreds": -1}
        predictions = {
            name: [rng.normal(center, 1, (10 + user, *shape)).astype(dtype) for user in range(n_users)]
            for name, center in centers.items()
        }
        metrics = {name: np.float64(rng.random()) for name in NAMES} | {"auc_list": rng.random(n_users).tolist()}
        splits.append({"all_metrics": metrics, "predictions": predictions})
    return splits


def write(folder, content, protocol=3):
    path = folder / "results.pickle"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(("shape", "dtype"), [((), "f8"), ((1,), "f4"), ((), ">f8")])
def test_each_field(tmp_path, protocol, shape, dtype):
    results = make_results(shape=shape, dtype=dtype)
    splits = load_sigver_results(write(tmp_path, results, protocol))
    assert len(splits) == 2
    for split, expected in zip(splits, results):
        metrics, predictions = expected["all_metrics"], expected["predictions"]
        assert split.metrics == {
            "frr": metrics["FRR"],
            "far_random": metrics["FAR_random"],
            "far_skilled": metrics["FAR_skilled"],
            "eer_sigver": metrics["EER"],
            "eer_writer_sigver": metrics["EER_userthresholds"],
            "mean_auc": metrics["mean_AUC"],
            "eer_threshold": metrics["global_threshold"],
        }
        assert split.auc.tolist() == metrics["auc_list"]
        scores = np.concatenate([each.ravel() for name in predictions for each in predictions[name]])
        np.testing.assert_array_equal(split.y_score, scores)
        assert split.y_score.dtype == np.float64
        assert split.writers.tolist() == [user for _ in range(3) for user in range(3) for _ in range(10 + user)]
        is_random = split.y_true[:, 0] == -1
        assert is_random.tolist() == 33 * [False] + 33 * [True] + 33 * [False]
        np.testing.assert_array_equal(split.y_true[~is_random, 0], split.writers[~is_random])
        assert split.y_true[:, 1].tolist() == 66 * [0] + 33 * [1]


def test_the_metrics_can_be_computed_again(tmp_path):
    """The definitions are those of sigver, so what it computed comes out."""
    from sklearn.metrics import roc_auc_score

    results = make_results(n_splits=1)
    predictions = results[0]["predictions"]
    pairs = zip(predictions["genuinePreds"], predictions["skilledPreds"])
    auc = [roc_auc_score([1] * len(one) + [0] * len(other), [*one, *other]) for one, other in pairs]
    [split] = load_sigver_results(write(tmp_path, results))
    settings = {"writers": split.writers, "method": "sigver", "n_bootstraps": 0}
    report = verification_report(split.y_true, split.y_score, **settings)
    np.testing.assert_allclose(report.per_writer().auc, auc)
    assert report.estimates["far_random"].value == np.mean(np.concatenate(predictions["randomPreds"]) >= 0)
    assert report.estimates["far_skilled"].value == np.mean(np.concatenate(predictions["skilledPreds"]) >= 0)
    assert report.estimates["frr"].value == np.mean(np.concatenate(predictions["genuinePreds"]) < 0)


class Bomb:
    """An object whose pickle creates a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


class View:
    """An array that is made from bytes that other arrays have, too."""

    def __init__(self, content):
        self.content = content

    def __reduce__(self):
        frombuffer = np.zeros(1).__reduce_ex__(5)[0]
        return frombuffer, (self.content, np.dtype("f8"), (len(self.content) // 8,), "C")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("place", ["split", "metric", "score", "object array"])
def test_nothing_is_executed(tmp_path, protocol, place):
    proof, results = tmp_path / "executed", make_results()
    bomb = Bomb(str(proof))
    if place == "split":
        results.append(bomb)
    elif place == "metric":
        results[0]["all_metrics"]["FRR"] = bomb
    else:
        results[1]["predictions"]["skilledPreds"][2] = bomb if place == "score" else np.array([bomb])
    path = write(tmp_path, results, protocol)
    with pytest.raises(ValueError, match=r"results\.pickle: not results of sigver: refused: ") as caught:
        load_sigver_results(path)
    assert "Copying it again does not help: only lists, dicts," in str(caught.value)
    assert "os.mkdir" in str(caught.value) or "posix.mkdir" in str(caught.value) or "type 'O8'" in str(caught.value)
    assert not proof.exists()
    # Check that unpickling would have run code.
    pickle.loads(path.read_bytes())
    assert proof.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntRcos\nsystem\nb.",
        b"(inumpy\ndtype\nS'f8'\n.",
        b"Pid\n.",
        b"\x82\x01.",
        b"\x80\x02cnumpy\nndarray\n)\x81.",
    ],
)
def test_instructions_that_data_do_not_need_are_refused(tmp_path, content):
    with pytest.raises(ValueError, match=r"not results of sigver: (refused|damaged)"):
        load_sigver_results(write(tmp_path, content))


def damage(results, place):
    """Make results that are not those of sigver."""
    split = results[0]
    metrics, predictions = split["all_metrics"], split["predictions"]
    if place == "no split":
        return []
    if place == "no list":
        return split
    if place == "other dict":
        return {"scores": np.zeros(3)}
    if place == "lists of lists":
        return [[split]]
    if place == "no users":
        metrics["auc_list"], split["predictions"] = [], {name: [] for name in predictions}
    if place == "no metric":
        del metrics["FAR_random"]
    if place == "text":
        metrics["EER"] = "0.1"
    if place == "huge":
        metrics["EER"] = 10**400
    if place == "no scores":
        del predictions["randomPreds"]
    if place == "fewer users":
        predictions["skilledPreds"].pop()
    if place == "lists":
        predictions["skilledPreds"][0] = [0.1, 0.2]
    if place == "a number":
        predictions["skilledPreds"][0] = np.array(0.1)
    if place == "true":
        predictions["skilledPreds"][0] = np.array([True])
    if place == "auc":
        metrics["auc_list"][1] = None
    return results


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("no split", "a list without splits. Pass the file that sigver.wd.test"),
        (
            "no list",
            "a dict instead of a list of splits, with the entries 'all_metrics', 'predictions'. It is one split",
        ),
        ("other dict", "a dict instead of a list of splits, with the entries 'scores'. Pass the file"),
        ("lists of lists", "split 0 is list instead of a dict. Pass the file"),
        ("no metric", "split 0 has no 'FAR_random'; found 'FRR', "),
        ("text", "split 0: 'EER' is str instead of a number. Save the metrics as numbers."),
        ("huge", "split 0: 'EER' is too large"),
        ("no scores", "split 0 has no 'randomPreds'; found 'genuinePreds', 'skilledPreds'. Pass the file"),
        ("no users", "split 0: there are no users: auc_list 0"),
        ("fewer users", "the numbers of users differ: auc_list 3, genuinePreds 3, randomPreds 3, skilledPreds 2"),
        ("lists", "'skilledPreds' must have an array of scores"),
        ("a number", "'skilledPreds' must have an array of scores"),
        ("true", "'skilledPreds' must have an array of scores"),
        ("auc", "'auc_list' is NoneType instead of a number"),
    ],
)
def test_other_content_is_named(tmp_path, place, problem):
    path = write(tmp_path, damage(make_results(), place))
    with pytest.raises(ValueError, match=r"results\.pickle: not results of sigver: ") as caught:
        load_sigver_results(path)
    assert problem in str(caught.value)
    assert "opy the file again" not in str(caught.value)


def test_small_files_cannot_fill_the_memory(tmp_path):
    """An array of some bytes that occurs a thousand times, as a reference and as an array made again."""
    [split] = make_results(n_splits=1)
    scores = np.zeros(1000)
    for name in split["predictions"]:
        split["predictions"][name] = [scores] * 1000
    split["all_metrics"]["auc_list"] = [0.5] * 1000
    path = write(tmp_path, [split])
    assert path.stat().st_size < 30_000
    with pytest.raises(ValueError, match="more scores than bytes"):
        load_sigver_results(path)
    content = bytes(8000)
    for name in split["predictions"]:
        split["predictions"][name] = [View(content) for _ in range(1000)]
    with pytest.raises(ValueError, match="refused: its arrays are larger than the file"):
        load_sigver_results(write(tmp_path, [split]))


def test_cut_files_and_files_of_another_kind(tmp_path):
    content = pickle.dumps(make_results(), 4)
    for cut in (0, 1, 10, len(content) // 2, len(content) - 1):
        with pytest.raises(ValueError, match=r"results\.pickle: not results of sigver"):
            load_sigver_results(write(tmp_path, content[:cut]))
    with pytest.raises(ValueError, match=r"no pickle but an array of numpy \(\.npy\)\. Pass the pickle"):
        load_sigver_results(write(tmp_path, b"\x93NUMPY and so on"))
    with pytest.raises(ValueError, match=r"damaged, or no pickle \(.*\)\. Copy it again, or pass"):
        load_sigver_results(write(tmp_path, b'{"FRR": 0.1}'))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pickle"):
        load_sigver_results(tmp_path / "nowhere.pickle")


@pytest.mark.parametrize("is_zip", [False, True])
def test_weights_are_named(tmp_path, is_zip):
    torch = pytest.importorskip("torch")
    path = tmp_path / "signet.pth"
    torch.save(({"w": torch.zeros(2)}, None, None), path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(ValueError, match=r"signet\.pth: not results of sigver: .*\.pth.* load_sigver_weights reads"):
        load_sigver_results(path)
