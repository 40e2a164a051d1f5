"""SigNetFeaturizer with weights that are loaded or random: features, memory, magnification and bad input."""

import errno
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import sigkit.transformers._signet_featurizer as module
from sigkit.nets import build_network, prepare_network, save_weights
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer
from sigkit.transformers._features import FeatureExtractor, extract_features

UNTRAINED = SigNetTraining(epochs=0)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 40, 60), dtype=np.uint8)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_weights(path, build_network("tiny", seed=1), "tiny")
    return path


def test_features_are_those_of_the_network(images, weights):
    featurizer = SigNetFeaturizer(weights=weights, batch_size=3)
    features = featurizer.fit_transform(images)
    network = prepare_network(build_network("tiny", seed=1), torch.device("cpu"))
    assert featurizer.architecture_ == "tiny"
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, extract_features(FeatureExtractor(network), images), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(featurizer.transform(images.astype(float)), features, rtol=1e-5, atol=1e-6)


def test_untrained_weights_follow_the_seed(images):
    features = [
        SigNetFeaturizer("tiny", training=UNTRAINED, random_state=seed).fit_transform(images) for seed in (0, 0, 1)
    ]
    assert np.array_equal(features[0], features[1])
    assert not np.array_equal(features[0], features[2])


def test_memory_computes_each_image_once(images, weights, tmp_path, monkeypatch):
    computed = []

    def count(extractor, batch):
        computed.extend(batch)
        return extract_features(extractor, batch)

    monkeypatch.setattr(module, "extract_features", count)
    featurizer = SigNetFeaturizer(weights=weights, memory=tmp_path, batch_size=2)
    expected = SigNetFeaturizer(weights=weights).fit_transform(images)
    computed.clear()
    np.testing.assert_allclose(featurizer.fit_transform(images[:5]), expected[:5], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(featurizer.fit_transform(images[2:]), expected[2:], rtol=1e-5, atol=1e-6)
    assert len(computed) == 7
    featurizer.set_params(precision="bfloat16").transform(images)
    assert len(computed) == 14
    featurizer.set_params(precision="float32", n_views=2).transform(images)
    assert len(computed) == 21
    save_weights(weights, build_network("tiny", seed=2), "tiny")
    assert not np.allclose(featurizer.set_params(n_views=1).fit_transform(images), expected)
    assert len(computed) == 28


def test_results_before_an_interruption_are_cached(images, weights, tmp_path, monkeypatch):
    featurizer = SigNetFeaturizer(weights=weights, memory=tmp_path, batch_size=2).fit(images)
    batches = []

    def interrupt(extractor, batch):
        batches.append(len(batch))
        if len(batches) == 3:
            raise KeyboardInterrupt
        return extract_features(extractor, batch)

    monkeypatch.setattr(module, "extract_features", interrupt)
    with pytest.raises(KeyboardInterrupt):
        featurizer.transform(images)
    batches[:] = [0, 0, 0]
    featurizer.transform(images)
    assert sum(batches) == 3


def test_pandas_output(images, weights):
    table = make_pipeline(SigNetFeaturizer(weights=weights)).set_output(transform="pandas").fit_transform(images)
    assert table.shape == (7, 16)
    assert table.columns[0] == "signetfeaturizer0"


def test_clone_and_pickle(images, weights):
    featurizer = clone(SigNetFeaturizer(weights=weights)).fit(images)
    again = pickle.loads(pickle.dumps(featurizer))
    assert np.array_equal(again.transform(images), featurizer.transform(images))


def test_fit_does_not_change_random_states(images, weights):
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    SigNetFeaturizer("tiny", training=UNTRAINED, random_state=0).fit(images)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 20)), r"\(n_samples, height, width\), found \(3, 20\)"),
        (np.full((1, 9, 9), np.nan), "NaN"),
        (np.full((1, 9, 9), -1.0), "from 0 .* to 255"),
        (np.full((1, 9, 9), 300), "from 0 .* to 255"),
        (np.zeros((0, 9, 9)), "0 sample"),
    ],
)
def test_bad_images(X, message, weights):
    with pytest.raises(ValueError, match=message):
        SigNetFeaturizer(weights=weights).fit(X)


def test_images_of_another_shape_than_in_fit(images, weights):
    featurizer = SigNetFeaturizer(weights=weights).fit(images)
    with pytest.raises(ValueError, match=r"\(39, 60\).*expecting images of shape \(40, 60\)"):
        featurizer.transform(images[:, 1:])
    with pytest.raises(NotFittedError):
        SigNetFeaturizer(weights=weights).transform(images)


def test_images_too_small_for_signet(images, tmp_path):
    path = tmp_path / "thin.safetensors"
    save_weights(path, build_network("signet_thin", seed=0), "signet_thin")
    with pytest.raises(ValueError, match="signet_thin needs images of at least 150 x 220 pixels, found 40 x 60"):
        SigNetFeaturizer(weights=path).fit(images)


@pytest.mark.parametrize(("parameter", "value"), [("architecture", "vgg"), ("precision", "int8"), ("batch_size", 0)])
def test_bad_parameters(images, weights, parameter, value):
    with pytest.raises(ValueError, match=parameter):
        SigNetFeaturizer(**{"weights": weights, parameter: value}).fit(images)


def test_progress(images, weights, capsys):
    SigNetFeaturizer(weights=weights, verbose=1).fit_transform(images)
    assert "features: 7 of 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((2, 9, 9), 0.5), "multiply values up to 1 by 255"),
        (np.ones((2, 9, 9), dtype=bool), "multiply values up to 1 by 255"),
        (["scan.png"], "Put a SignaturePreprocessor before"),
        (np.array(["scan.png"]), "Put a SignaturePreprocessor before"),
        ([np.zeros((9, 9)), np.zeros((9, 8))], "Put a SignaturePreprocessor before"),
    ],
)
def test_images_that_were_not_preprocessed(X, message, weights):
    with pytest.raises(ValueError, match=message):
        SigNetFeaturizer(weights=weights).fit(X)


def test_unknown_devices_are_refused_in_fit(images, weights):
    with pytest.raises(ValueError, match="device='abacus'"):
        SigNetFeaturizer(weights=weights, device="abacus").fit(images)


def test_foreign_entries_of_the_memory_are_ignored(images, weights, tmp_path):
    featurizer = SigNetFeaturizer(weights=weights, memory=tmp_path / "memory")
    expected = featurizer.fit_transform(images)
    entries = [path for path in (tmp_path / "memory").rglob("*") if path.is_file()]
    for entry, arrays in zip(entries, [{"features": np.ones(1)}, {"features": np.ones(5)}, {"other": np.ones(16)}]):
        entry.write_bytes(save(arrays))
    np.testing.assert_allclose(featurizer.transform(images), expected, rtol=1e-5, atol=1e-6)


def test_memory_is_a_folder(images, weights):
    with pytest.raises(ValueError, match="is a file; pass a folder"):
        SigNetFeaturizer(weights=weights, memory=weights).fit_transform(images)


def test_loaded_weights_do_not_depend_on_their_file(images, weights):
    featurizer = SigNetFeaturizer(weights=weights).fit(images)
    expected = featurizer.transform(images)
    weights.write_bytes(bytes(len(weights.read_bytes())))
    np.testing.assert_array_equal(featurizer.transform(images), expected)
    weights.write_bytes(b"")
    np.testing.assert_array_equal(featurizer.transform(images), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_overflow_are_an_error(images, weights, tmp_path, monkeypatch, value):
    featurizer = SigNetFeaturizer(weights=weights, memory=tmp_path / "memory", batch_size=3).fit(images)

    def overflow(extractor, batch):
        features = extract_features(extractor, batch)
        features[-1, -1] = value
        return features

    monkeypatch.setattr(module, "extract_features", overflow)
    with pytest.raises(ValueError, match=r"tiny\.safetensors: features are NaN or infinite"):
        featurizer.transform(images)
    assert not entries(tmp_path / "memory")


def entries(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_entry_of_another_image_or_other_weights_is_not_used(images, weights, tmp_path):
    memory, other = tmp_path / "memory", tmp_path / "other.safetensors"
    save_weights(other, build_network("tiny", seed=2), "tiny")
    featurizers = [SigNetFeaturizer(weights=path, memory=memory) for path in (weights, other)]
    expected = [featurizer.fit_transform(images[:2]) for featurizer in featurizers]
    files = entries(memory)
    assert len(files) == 4
    contents = [file.read_bytes() for file in files]
    for shift in (1, 2, 3):
        for file, content in zip(files, contents[shift:] + contents[:shift]):
            file.write_bytes(content)
        for featurizer, features in zip(featurizers, expected):
            np.testing.assert_array_equal(featurizer.transform(images[:2]), features)
        assert [file.read_bytes() for file in files] == contents


def test_changed_features_in_the_memory_are_computed_again(images, weights, tmp_path):
    featurizer = SigNetFeaturizer(weights=weights, memory=tmp_path / "memory")
    expected = featurizer.fit_transform(images[:1])
    [entry] = entries(tmp_path / "memory")
    content = entry.read_bytes()
    for position in (-1, -30, 60, 200):
        damaged = bytearray(content)
        damaged[position] ^= 1
        entry.write_bytes(damaged)
        np.testing.assert_array_equal(featurizer.transform(images[:1]), expected)
        assert entry.read_bytes() == content


@pytest.mark.parametrize("problem", ["full", "read-only", "a file", "no permission"])
def test_a_memory_that_cannot_be_written_is_named_once(images, weights, tmp_path, monkeypatch, problem):
    memory = tmp_path / "memory"
    expected = SigNetFeaturizer(weights=weights, batch_size=2).fit_transform(images)
    featurizer = SigNetFeaturizer(weights=weights, memory=memory, batch_size=2).fit(images)
    if problem == "a file":
        memory.rmdir()
        memory.touch()
    else:
        number = {"full": errno.ENOSPC, "read-only": errno.EROFS, "no permission": errno.EACCES}[problem]

        def refuse(path):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("sigkit.transformers._memory.whole_file", refuse)
    with pytest.warns(UserWarning, match=f"memory='{memory}': results cannot be kept there") as caught:
        features = featurizer.transform(images)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(features, expected)


def test_a_memory_that_disappears_is_made_again(images, weights, tmp_path):
    featurizer = SigNetFeaturizer(weights=weights, memory=tmp_path / "memory").fit(images)
    expected = featurizer.transform(images)
    shutil.rmtree(tmp_path / "memory")
    np.testing.assert_array_equal(featurizer.transform(images), expected)
    assert len(entries(tmp_path / "memory")) == len(images)


@pytest.mark.parametrize("memory", ["/proc/nowhere", "/dev/null/below", "a\0b", ""])
def test_a_memory_that_cannot_be_made_is_an_error_at_once(images, weights, memory):
    with pytest.raises((OSError, ValueError), match=r"memory='.*': the folder cannot be made"):
        SigNetFeaturizer(weights=weights, memory=memory).fit(images)


def test_a_memory_that_is_not_made_because_the_disk_is_full(images, weights, tmp_path, monkeypatch):
    def refuse(path, exist_ok):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr("sigkit.transformers._memory.os.makedirs", refuse)
    with pytest.warns(UserWarning, match="results cannot be kept there") as caught:
        SigNetFeaturizer(weights=weights, memory=tmp_path / "memory").fit_transform(images)
    assert len(caught) == 1


def test_magnification(images, weights, tmp_path):
    settings = {"weights": weights, "memory": tmp_path / "memory"}
    one, larger, both = (
        SigNetFeaturizer(**settings, magnification=factor).fit_transform(images) for factor in (1, 1.25, (1, 1.25))
    )
    assert both.shape == (len(images), 32)
    np.testing.assert_array_equal(both, np.hstack([one, larger]))
    assert len(SigNetFeaturizer(weights=weights, magnification=[1, 2]).fit(images).get_feature_names_out()) == 32


@pytest.mark.parametrize(
    "magnification", [0.5, 5, (), (1, 0.5), "large", ["1.5"], [None, 1], [[1, 2]], [1j], float("nan")]
)
def test_invalid_magnifications(images, weights, magnification):
    with pytest.raises(ValueError, match="magnification"):
        SigNetFeaturizer(weights=weights, magnification=magnification).fit(images)


def test_networks_of_a_fixed_size_take_no_enlarged_images():
    images = np.zeros((2, 150, 220), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"magnification=\(1, 1.25\): this network takes images of 150 x 220 pixels"):
        SigNetFeaturizer("signet_thin", training=UNTRAINED, magnification=(1, 1.25)).fit(images)
