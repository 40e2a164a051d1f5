"""Whole systems in files: what comes out is what went in, to the last bit, and nothing else is read."""

import copy
import json
import math
import pathlib
import subprocess
import sys
import warnings
from dataclasses import dataclass

import joblib
import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler, StandardScaler
from sklearn.utils import Bunch

import sigkit
from sigkit._utils import seal_safetensors
from sigkit.datasets import make_signatures
from sigkit.estimators import (
    AdversarialTrainer,
    LikelihoodRatioCalibrator,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
    make_fused_verifier,
)
from sigkit.nets import _architectures as registry
from sigkit.nets import build_network, register_architecture
from sigkit.persistence import load, save
from sigkit.training import CosFaceLoss, Patience, SigNetTraining
from sigkit.transformers import (
    BackgroundRemover,
    CLBPFeaturizer,
    SignaturePreprocessor,
    SigNetFeaturizer,
    StrokeFeaturizer,
)

RNG = np.random.default_rng(0)
WRITERS = np.repeat(np.arange(20), 15)
TARGET = np.column_stack([WRITERS, np.tile([0] * 10 + [1, 1] + [0] * 3, 20)])
VECTORS = RNG.normal(size=(20, 8))[WRITERS] * 2 + RNG.normal(size=(300, 8)) * (0.3 + TARGET[:, 1:])
QUERIES = VECTORS[-40::3]


@pytest.fixture(scope="module")
def scans():
    drawn, target = make_signatures(n_writers=6, n_genuine=4, n_skilled=0, random_state=0)
    return drawn, target[:, 0]


@pytest.fixture
def again(tmp_path):
    """Return a function that saves a system and loads it."""

    def save_and_load(system, **options):
        save(system, tmp_path / "system", **options)
        return load(tmp_path / "system", **options)

    return save_and_load


def preprocessor(**parameters):
    return SignaturePreprocessor(canvas_size=(765, 1089), **parameters)


def small_featurizer(**parameters):
    training = SigNetTraining(epochs=1, loss=CosFaceLoss(), callbacks=[Patience(3)])
    return SigNetFeaturizer("tiny", training=training, random_state=0, **parameters)


ON_SCANS = {
    "fusion": lambda: make_pipeline(preprocessor(), make_fused_verifier(dev_writers=range(1, 3), random_state=0)),
    "trained": lambda: make_pipeline(
        preprocessor(), BackgroundRemover(), small_featurizer(), StandardScaler(), PCA(6), WriterDependentSVC("linear")
    ),
    "adversarial": lambda: make_pipeline(preprocessor(), AdversarialTrainer(small_featurizer()), WriterDependentSVC()),
    "textures": lambda: make_pipeline(preprocessor(), CLBPFeaturizer(), WriterDependentSVC(scaling="writer")),
    "union": lambda: make_pipeline(
        preprocessor(), FeatureUnion([("a", CLBPFeaturizer()), ("b", StrokeFeaturizer())]), WriterDependentSVC()
    ),
}


@pytest.mark.parametrize("name", ON_SCANS)
@pytest.mark.filterwarnings("ignore")
def test_scores_of_a_pipeline_are_equal_to_the_last_bit(name, scans, again):
    system = ON_SCANS[name]().fit(*scans)
    before = system.decision_function(scans[0][3:6])
    loaded = again(system)
    np.testing.assert_array_equal(loaded.decision_function(scans[0][3:6]), before)
    assert loaded[-1].classes_.tolist() == system[-1].classes_.tolist()


@pytest.mark.parametrize(
    "parameters", [{}, {"keep": "weights"}, {"adapt": "head", "head": "distance"}], ids=["images", "weights", "head"]
)
@pytest.mark.filterwarnings("ignore")
def test_a_meta_learned_verifier_scores_and_enrolls_as_before(parameters, fitted_verifier, blots, again):
    images, target = blots
    model = fitted_verifier(**parameters)
    loaded = again(model)
    np.testing.assert_array_equal(loaded.decision_function(images[::9]), model.decision_function(images[::9]))
    twin = copy.deepcopy(model).add_references(images[-1:], target[-1:, 0])
    loaded.add_references(images[-1:], target[-1:, 0])
    np.testing.assert_array_equal(loaded.decision_function(images[::9]), twin.decision_function(images[::9]))


ON_VECTORS = {
    "operating point": lambda svc: OperatingPointVerifier(svc, random_state=0),
    "user-specific": lambda svc: OperatingPointVerifier(
        svc, criterion="frr", level=0.1, source="references", user_specific=True, random_state=0
    ),
    "likelihood ratios": lambda svc: LikelihoodRatioCalibrator(svc, random_state=0),
    "both": lambda svc: OperatingPointVerifier(LikelihoodRatioCalibrator(svc, random_state=0), random_state=0),
    "scaled": lambda svc: make_pipeline(RobustScaler(), svc),
}


@pytest.mark.parametrize("name", ON_VECTORS)
def test_decisions_are_those_of_the_saved_verifier(name, again):
    svc = WriterDependentSVC(dev_writers=range(12), random_state=np.random.RandomState(3))
    system = ON_VECTORS[name](svc).fit(VECTORS, TARGET)
    loaded = again(system)
    np.testing.assert_array_equal(loaded.decision_function(QUERIES), system.decision_function(QUERIES))
    claims = WRITERS[-40::3]
    last, last_loaded = (one[-1] if hasattr(one, "steps") else one for one in (system, loaded))
    queries = system[:-1].transform(QUERIES) if hasattr(system, "steps") else QUERIES
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* are copies of references", category=UserWarning)
        np.testing.assert_array_equal(last_loaded.verify(queries, claims), last.verify(queries, claims))
    if "point" in name:
        assert str(loaded.operating_point_) == str(system.operating_point_)


@pytest.mark.parametrize("writers", [["ada", "bob", "eve"], [2**63 - 1, 7, -(2**63)]])
def test_a_loaded_verifier_enrolls_and_removes_as_the_saved_one(writers, again):
    ids = np.array(writers)
    rows = np.arange(45)
    model = WriterDependentSVC(n_peer_negatives=2, random_state=0).fit(VECTORS[rows], ids[rows // 15])
    loaded = again(model)
    new = np.array([writers[0], "zoe" if isinstance(writers[0], str) else 3], dtype=ids.dtype)[np.arange(30) // 15]
    for one in (model, loaded):
        one.enroll(VECTORS[60:90], new).remove([writers[1]]).add_references(VECTORS[45:47], [writers[2]] * 2)
    np.testing.assert_array_equal(loaded.decision_function(QUERIES), model.decision_function(QUERIES))
    assert loaded.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(loaded.find_copies(VECTORS[45:46], [writers[2]]), [15])


class Values(BaseEstimator):
    """An estimator of the user that holds anything."""

    def __init__(self, value=None):
        self.value = value


BUNCH = Bunch(a=1)
BUNCH[3] = BUNCH["not a name"] = (1, 2)
VALUES = {
    "numbers": [True, 0, 0.1, 1e-320, 2**70, -(2**70), 2**20_000, math.inf, -math.inf],
    "texts": ["", "Ålice", "\udcff", "a\0b"],
    "containers": [(1, (2, [])), {1: "a", "1": "b", None: (), (1, "x"): []}, {3, 1}, frozenset("ab"), range(9, 1, -2)],
    "others": [slice(1, None), b"\0\xff", pathlib.Path("a/b"), BUNCH, range(10**5000)],
    "scalars": [np.float32(0.1), np.int64(-3), np.str_("ada"), np.bool_(True), np.datetime64("2026-03-01", "ns")],
}


@pytest.mark.parametrize("name", VALUES)
def test_plain_values_survive(name, again):
    values = again(Values(VALUES[name]), classes=[Values]).value
    assert values == VALUES[name]
    assert [type(value) for value in values] == [type(value) for value in VALUES[name]]


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.0, -0.0, np.nan, np.inf]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype=">i4"),
        np.array(["ada", ""], dtype="<U7"),
        np.array([[True], [False]]),
        np.zeros((0, 3), dtype=np.float16),
        np.array(5),
        np.array([1 + 2j]),
        np.arange(10, dtype=np.uint64)[::3],
    ],
    ids=str,
)
def test_arrays_survive(array, again):
    loaded = again(Values(array), classes=[Values]).value
    assert (loaded.dtype, loaded.shape, loaded.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert loaded.flags.f_contiguous == array.flags.f_contiguous or not array.flags.contiguous
    assert loaded.flags.writeable
    assert loaded.flags.aligned


def test_arrays_of_objects_random_states_and_nan_survive(again):
    owners = np.empty((2, 2), dtype=object)
    owners[:] = [[None, "ada"], [3, (1, 2)]]
    rng, generator = np.random.RandomState(5), np.random.default_rng(6)
    rng.normal(), generator.random()
    found = again(Values([owners, rng, generator, math.nan, -0.0]), classes=[Values]).value
    assert found[0].dtype == object
    assert found[0].tolist() == owners.tolist()
    assert found[1].normal() == rng.normal()
    assert found[2].random() == generator.random()
    assert math.isnan(found[3])
    assert math.copysign(1, found[4]) == -1


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_random_states_continue_with_every_bit_generator(name, again):
    rng = np.random.RandomState(getattr(np.random, name)(5))
    generator = np.random.Generator(getattr(np.random, name)(6))
    rng.normal(), rng.randint(9), generator.random()
    found = again(Values([rng, generator]), classes=[Values]).value
    assert found[0].normal(size=3).tolist() == rng.normal(size=3).tolist()
    assert found[0].randint(10**6) == rng.randint(10**6)
    assert found[1].random() == generator.random()


def test_what_is_shared_is_saved_once_and_shared_again(tmp_path):
    array, rng = np.zeros(100_000), np.random.RandomState(0)
    save(Values([array, [array], rng, {"rng": rng}]), tmp_path / "system", classes=[Values])
    first, [second], one, other = load(tmp_path / "system", classes=[Values]).value
    assert first is second
    assert one is other["rng"]
    assert (tmp_path / "system").stat().st_size < 1.5 * array.nbytes


def test_equal_systems_are_equal_files(tmp_path):
    for name in ("one", "two"):
        save(WriterDependentSVC(random_state=0).fit(VECTORS, WRITERS), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


class OwnScaler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.scale_ = X.std(axis=0)
        return self

    def transform(self, X):
        return X / self.scale_


def test_classes_of_the_user_are_named(tmp_path):
    system = make_pipeline(OwnScaler(), WriterDependentSVC()).fit(VECTORS, WRITERS)
    with pytest.raises(ValueError, match=r"system\.steps\[0\]\[1\] is of the class .*OwnScaler\..* classes="):
        save(system, tmp_path / "system")
    assert not list(tmp_path.iterdir())
    save(system, tmp_path / "system", classes=[OwnScaler])
    with pytest.raises(ValueError, match=r"system: holds what .*OwnScaler is not known here"):
        load(tmp_path / "system")
    loaded = load(tmp_path / "system", classes=[OwnScaler])
    np.testing.assert_array_equal(loaded.decision_function(QUERIES), system.decision_function(QUERIES))
    with pytest.raises(TypeError, match="classes must be classes"):
        save(system, tmp_path / "system", classes=[OwnScaler()])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [print]}, r"system\.value\['a'\]\[0\] is a function or class, builtins\.print"),
        (lambda: None, r"system\.value is a function or class, .*<lambda>"),
        ((1, object()), r"system\.value\[1\] is of the class builtins\.object"),
        (np.zeros(2, dtype="f4,i8"), r"system\.value is an array of type"),
        (np.ma.zeros(3), r"system\.value is of the class numpy\.ma\.MaskedArray"),
        (FunctionTransformer(np.log), r"system\.value is of the class sklearn.*FunctionTransformer"),
    ],
)
def test_what_cannot_be_saved_is_named_with_its_place(value, message, tmp_path):
    (tmp_path / "system").write_text("before")
    with pytest.raises(ValueError, match=message):
        save(Values(value), tmp_path / "system", classes=[Values])
    assert (tmp_path / "system").read_text() == "before"


def test_a_system_that_contains_itself_is_refused(tmp_path):
    values = []
    values.append(values)
    with pytest.raises(ValueError, match=r"system\.value\[0\] contains itself"):
        save(Values(values), tmp_path / "system", classes=[Values])


class Mapping(dict):
    """A dict of the user."""


class Pair(tuple):
    """A tuple of the user, without names."""


@dataclass
class Record:
    value: int = 1

    def __post_init__(self):
        self.more = 2


class Slotted:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 1


class Numbered:
    def __getstate__(self):
        return {1: "one"}


class HidingDefault(BaseEstimator):
    """An estimator of the user whose attribute hides one of the class, as no file may."""

    scale_ = None

    def fit(self):
        self.scale_ = 3.0
        return self


OWN = [Values, Mapping, Pair, Record, Slotted, Numbered, HidingDefault]


def nested(depth):
    values = []
    for _ in range(depth):
        values = [values]
    return values


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Mapping(a=1), r"system\.value is a Mapping, which is also a dict"),
        (Pair((1, 2)), r"system\.value is a Pair, which is also a tuple"),
        (Record(), r"system\.value is a Record with attributes that are no fields, more"),
        (Slotted(), r"system\.value is a Slotted, whose state is no dict of attributes"),
        (Numbered(), r"system\.value is a Numbered, whose state is no dict of attributes"),
        (
            HidingDefault().fit(),
            r"could not be loaded again \(ValueError: a HidingDefault with the attributes scale_\)",
        ),
        (nested(150), r"system\.value(\[0\])+\[?0?\.\.\. is inside of 100 other objects"),
        (nested(20_000), r"is inside of 100 other objects"),
    ],
    ids=["dict", "tuple", "dataclass", "slots", "state", "default", "nested", "nested deeply"],
)
def test_what_could_not_be_loaded_is_not_saved(value, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        save(Values(value), tmp_path / "system", classes=OWN)
    assert not list(tmp_path.iterdir())


def test_nested_containers_survive(again):
    assert again(Values(nested(90)), classes=[Values]).value == nested(90)


def test_too_many_values_for_a_file_are_an_error(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise SafetensorError("header too large")

    monkeypatch.setattr("sigkit.persistence._system_file.save_tensors", refuse)
    with pytest.raises(ValueError, match=r"too many for one file \(header too large\)"):
        save(StrokeMatcher(), tmp_path / "system")


@pytest.mark.parametrize("path", [None, 3])
def test_a_path_is_text(path):
    for use in (lambda: save(StrokeMatcher(), path), lambda: load(path)):
        with pytest.raises(ValueError, match=f"path must be a str or an os.PathLike; found {path}"):
            use()


def test_a_name_that_no_file_can_have_is_shown():
    for use in (lambda: save(StrokeMatcher(), "a\0"), lambda: load("a\0")):
        with pytest.raises(OSError, match=r"^a\\x00: cannot be"):
            use()


@pytest.mark.parametrize("classes", [None, 3, "Values", Values])
def test_classes_are_a_list_of_classes(classes, path):
    for use in (lambda: save(StrokeMatcher(), path, classes=classes), lambda: load(path, classes=classes)):
        with pytest.raises(TypeError, match=r"classes must be a list of classes, such as classes=\[MyStep\]; found"):
            use()


def make_class(factor):
    class Scale(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X * factor

    return Scale


def test_two_classes_of_one_name_are_refused(path):
    one, other = make_class(1), make_class(50)
    system = make_pipeline(one(), other())
    for use in (lambda: save(system, path, classes=[one, other]), lambda: load(path, classes=[one, other])):
        with pytest.raises(ValueError, match=r"two classes of the name .*make_class.*Scale.* Rename one"):
            use()
    with pytest.raises(
        ValueError, match=r"system\.steps\[1\]\[1\] is of another class .*Scale than the one in classes="
    ):
        save(system, path, classes=[one, one])


def test_a_class_of_sigkit_among_those_of_the_user_changes_nothing(tmp_path):
    save(StrokeMatcher(), tmp_path / "system", classes=[StrokeMatcher])
    assert isinstance(load(tmp_path / "system"), StrokeMatcher)


def test_folders_and_devices_of_another_machine(tmp_path, scans):
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    kept.mkdir()
    gone.mkdir()
    featurizer = SigNetFeaturizer(weights="synthetic", memory=joblib.Memory(gone, verbose=0))
    system = make_pipeline(preprocessor(memory=kept), featurizer, WriterDependentSVC(), memory=str(kept))
    system.fit(*scans)
    system[1].set_params(device="cuda:77")
    save(system, tmp_path / "system")
    # Features from the cache were computed in another batch, whose size decides the last bits.
    system[1].set_params(device=None, memory=None)
    scores = system.decision_function(scans[0][:2])
    for path in sorted(gone.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    gone.rmdir()
    with pytest.warns(UserWarning, match="system: device='cuda:77' of SigNetFeaturizer") as caught:
        loaded = load(tmp_path / "system")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert f"memory={str(gone)!r} of SigNetFeaturizer (there is no such folder)" in message
    assert f"memory={str(kept)!r} of Pipeline (joblib's cache is of pickles" in message
    assert (loaded.memory, loaded[1].memory, loaded[1].device) == (None, None, None)
    assert loaded[0].memory == kept
    np.testing.assert_array_equal(loaded.decision_function(scans[0][:2]), scores)


class Gain(TransformerMixin, BaseEstimator):
    """A step of the user, with parameters of his own that have the names of sigkit's."""

    def __init__(self, memory=1.0, device=None):
        self.memory = memory
        self.device = device

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X * (self.memory if isinstance(self.memory, float) else 1)


class OwnPreprocessor(SignaturePreprocessor):
    """A step of the user, with the parameters of sigkit's."""


@pytest.mark.parametrize(
    "parameters",
    [
        {"memory": 5.0},
        {"memory": "a text"},
        {"memory": [3]},
        {"memory": {"a": 1}},
        {"device": "left"},
        {"device": 2.5},
        {"device": np.arange(3)},
    ],
    ids=str,
)
def test_parameters_of_other_classes_stay_as_they_are(parameters, again):
    system = make_pipeline(Gain(**parameters), WriterDependentSVC(random_state=0)).fit(VECTORS, WRITERS)
    loaded = again(system, classes=[Gain])
    np.testing.assert_equal(loaded[0].get_params(), system[0].get_params())
    np.testing.assert_array_equal(loaded.decision_function(QUERIES), system.decision_function(QUERIES))


@pytest.mark.parametrize("value", [3, [3], {"a": 1}, 2.5])
def test_devices_and_folders_that_fit_refuses_are_saved_and_loaded(value, again):
    for system in (SigNetFeaturizer(memory=value, device=value), make_pipeline(StandardScaler(), memory=value)):
        loaded = again(system)
        assert (loaded.memory, getattr(loaded, "device", value)) == (value, value)


def test_a_folder_of_a_derived_class_is_looked_up(tmp_path, again):
    with pytest.warns(UserWarning, match=r"of OwnPreprocessor \(there is no such folder"):
        loaded = again(OwnPreprocessor(memory=str(tmp_path / "gone")), classes=[OwnPreprocessor])
    assert loaded.memory is None


def test_a_full_disk_names_the_file_and_leaves_the_previous_one(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "system"
    save(StrokeMatcher(), path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))  # stands for a full disk
    try:
        with pytest.raises(OSError, match="system"):
            save(WriterDependentSVC().fit(VECTORS, WRITERS), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert isinstance(load(path), StrokeMatcher)
    assert [each.name for each in tmp_path.iterdir()] == ["system"]


def test_an_architecture_of_the_user_is_registered_before_loading(tmp_path, monkeypatch, blots):
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(registry, "ARCHITECTURES", registry._REGISTRY)
    register_architecture("mine", lambda: build_network("tiny"), "for a test")
    featurizer = SigNetFeaturizer("mine", training=SigNetTraining(epochs=0)).fit(blots[0])
    save(featurizer, tmp_path / "system")
    np.testing.assert_array_equal(load(tmp_path / "system").transform(blots[0]), featurizer.transform(blots[0]))
    del registry._REGISTRY["mine"]
    with pytest.raises(ValueError, match=r"system: holds what .* architecture must be one of .* found 'mine'"):
        load(tmp_path / "system")


def rewrite(path, format="sigkit system 1", tensors=None, **changes):
    """Write a system file with other metadata, and a digest that fits."""
    content = path.read_bytes()
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    kept = {name: metadata[name] for name in ("system", "classes", "arrays", "versions")} | changes
    tensors = load_tensors(content) if tensors is None else tensors
    path.write_bytes(seal_safetensors(save_tensors(tensors, metadata=kept), format))


@pytest.fixture
def path(tmp_path):
    save(StrokeMatcher(), tmp_path / "system")
    return tmp_path / "system"


@pytest.mark.parametrize(("schema", "advice"), [("2", "Upgrade"), ("0", "Convert it"), ("x", "Convert it")])
def test_another_schema_says_which_and_what_to_do(schema, advice, path):
    rewrite(path, f"sigkit system {schema}", versions='{"sigkit": "9.9"}')
    with pytest.raises(ValueError, match=rf"system: a system of schema '{schema}', written by sigkit 9\.9; .*{advice}"):
        load(path)


def test_another_version_of_sigkit_is_warned_about_once(path):
    rewrite(path, versions='{"sigkit": "0.0.9"}')
    with pytest.warns(UserWarning, match=r"system was saved by sigkit 0\.0\.9 and is loaded by") as caught:
        load(path)
    assert len(caught) == 1
    assert caught[0].filename == __file__


CRAFTED = {
    "a module": ["os.system", None],
    "a function": ["sklearn.utils.resample", None],
    "other fields": ["sigkit.estimators.StrokeMatcher", ["allowance"]],
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_file_names_no_class_outside_of_the_list(name, path):
    rewrite(path, classes=json.dumps([CRAFTED[name]]))
    with pytest.raises(ValueError, match=r"system: holds what sigkit .* cannot load"):
        load(path)


@pytest.mark.parametrize(
    "system",
    [
        '{"object": [0, {"allowance": 1.0}]}',
        '{"object": [0, {"allowance": 1.0, "dev_writers": null, "predict": 1}]}',
        '{"object": [0, {"allowance": 1.0, "dev_writers": null, "__class__": 1}]}',
        '{"object": [0, [1.0, null]]}',
        '{"object": [5, {}]}',
        '{"eval": "1"}',
        '{"array": 3}',
        '{"same": 4}',
        '{"int": "x"}',
        "[" * 100_000,
        "",
    ],
)
def test_impossible_objects_are_refused(system, path):
    rewrite(path, system=system)
    with pytest.raises(ValueError, match=f"system: holds what sigkit {sigkit.__version__} cannot load"):
        load(path)


def test_a_truth_value_is_0_or_1_and_all_numbers_are_used(tmp_path):
    path = tmp_path / "system"
    save(Values(np.array([True, False])), path, classes=[Values])
    for tensor in (np.array([7, 0], dtype=np.uint8).view(bool), np.zeros(3, dtype=bool), np.zeros(2)):
        rewrite(path, tensors={"bool": tensor})
        with pytest.raises(ValueError, match="system: holds what"):
            load(path, classes=[Values])


@pytest.mark.parametrize("content", [b"", b"x" * 100, None])
def test_other_files_are_refused_by_name(content, tmp_path):
    path = tmp_path / "other"
    if content is None:
        WriterDependentSVC().fit(VECTORS, WRITERS).export_writer(3, path)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="other: "):
        load(path)
    with pytest.raises(OSError, match="missing"):
        load(tmp_path / "missing")


def test_a_fresh_process_with_more_threads_has_equal_scores(tmp_path):
    fusion = VerifierFusion([("a", WriterDependentSVC(random_state=0)), ("b", WriterDependentSVC("linear"))])
    system = OperatingPointVerifier(fusion, source="references", criterion="frr", random_state=0).fit(VECTORS, TARGET)
    save(system, tmp_path / "system")
    np.save(tmp_path / "queries.npy", QUERIES)
    program = (
        "import os, sys; os.environ.update(OMP_NUM_THREADS='2', OPENBLAS_NUM_THREADS='2');"
        "import numpy as np; from sigkit.persistence import load;"
        "np.save('scores.npy', load('system').decision_function(np.load('queries.npy')))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=120)
    np.testing.assert_array_equal(np.load(tmp_path / "scores.npy"), system.decision_function(QUERIES))
