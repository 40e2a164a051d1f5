"""The additions that docs/extending.rst describes, made in a copy of the package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import sigkit

PACKAGE = Path(sigkit.__file__).parent


class Copy:
    """A copy of the package that counts the edits made to it."""

    def __init__(self, folder):
        self.folder = folder
        self.n_edits = 0
        self.files = set()
        shutil.copytree(PACKAGE, folder / "sigkit", ignore=shutil.ignore_patterns("__pycache__"))

    def insert(self, name, before, text):
        """Insert text before a text that occurs once in a file."""
        self.replace(name, before, text + before)

    def replace(self, name, before, after):
        """Replace a text that occurs once in a file."""
        path = self.folder / "sigkit" / name
        content = path.read_text()
        assert content.count(before) == 1, f"{name}: {before!r} occurs {content.count(before)} times"
        path.write_text(content.replace(before, after))
        self.n_edits += 1
        self.files.add(name)

    def create(self, name, text):
        """Create a file."""
        assert not (self.folder / "sigkit" / name).exists()
        (self.folder / "sigkit" / name).write_text(text)
        self.n_edits += 1
        self.files.add(name)

    def run(self, scripts):
        """Run scripts that import the copy, in one process; return the lines that each prints."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        command = [sys.executable, "-W", "ignore", "-c", RUN]
        options = {"cwd": self.folder, "env": environment, "input": json.dumps(scripts)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        assert done.returncode == 0, done.stderr
        printed = done.stdout.split(END)
        assert len(printed) == len(scripts) + 1
        return [text.strip().splitlines() for text in printed[:-1]]


END = "-- end of a script --"
RUN = f"""
import json, sys
import numpy as np
X = np.random.default_rng(0).integers(0, 2, (24, 20, 30), dtype=np.uint8) * 255
y = np.repeat([1, 2, 3], 8)
for script in json.load(sys.stdin):
    exec(script, {{"np": np, "X": X, "y": y}})
    print("{END}")
"""


@pytest.fixture(scope="module")
def additions(tmp_path_factory):
    """All additions, made in one copy, and what their scripts print: torch is imported by one process only."""
    copy = Copy(tmp_path_factory.mktemp("copy"))
    made, scripts = {}, []
    for add in (add_training_parameter, add_architecture, add_loss, add_corpus):
        copy.n_edits, copy.files = 0, set()
        scripts.append(add(copy))
        made[add.__name__] = SimpleNamespace(n_edits=copy.n_edits, files=copy.files)
    for addition, printed in zip(made.values(), copy.run(scripts), strict=True):
        addition.printed = printed
    return SimpleNamespace(**made)


def add_training_parameter(copy):
    parameters = "training/_signet_parameters.py"
    copy.insert(
        parameters,
        "    clip_value : float or None, default=10.0\n",
        "    nesterov : bool, default=True\n        Whether the momentum is that of Nesterov.\n",
    )
    copy.insert(
        parameters,
        "    clip_value: float | None",
        '    nesterov: bool = param(True, "boolean")\n',
    )
    copy.replace("training/_train_features.py", "optimizer__nesterov=True", "optimizer__nesterov=training.nesterov")
    return """
import json, tempfile
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer

with tempfile.TemporaryDirectory() as folder:
    training = SigNetTraining(epochs=2, checkpoint_dir=folder)
    featurizer = SigNetFeaturizer("tiny", training=training, random_state=0).fit(X, y)
    print(json.loads(featurizer.metadata_["recipe"])["training__nesterov"])
    for value in (False, "no"):
        try:
            featurizer.set_params(training__nesterov=value).fit(X, y)
        except ValueError as error:
            print(error)
    other = featurizer.set_params(training__nesterov=False, training__checkpoint_dir=None)
    print(np.array_equal(featurizer.transform(X), other.fit(X, y).transform(X)))
"""


def test_a_training_parameter_is_three_edits(additions):
    assert additions.add_training_parameter.n_edits == 3
    printed = additions.add_training_parameter.printed
    assert printed[0] == "True"
    assert "the state of another training (training__nesterov was True and is False)" in printed[1]
    assert "The 'nesterov' parameter of SigNetTraining must be" in printed[2]
    assert printed[3] == "False"


def add_architecture(copy):
    copy.create(
        "nets/_ink_grid.py",
        '''"""A linear layer on the ink in the cells of a grid."""

from torch import nn


class InkGrid(nn.Sequential):
    """The mean ink in the cells of a grid, and a linear layer."""

    input_size, takes_any_size, n_features = (150, 220), True, 8

    def __init__(self):
        super().__init__(nn.AdaptiveAvgPool2d((4, 6)), nn.Flatten(), nn.Linear(24, self.n_features))
''',
    )
    copy.insert(
        "nets/_architectures.py",
        "_BUILT_IN = frozenset(_REGISTRY)",
        "from sigkit.nets._ink_grid import InkGrid\n\n"
        'register_architecture("ink_grid", InkGrid, "a linear layer on a grid of ink")\n',
    )
    return """
import os, tempfile
from sigkit.nets import ARCHITECTURES
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer

print(ARCHITECTURES["ink_grid"].description, ARCHITECTURES["ink_grid"].n_features)
featurizer = SigNetFeaturizer("ink_grid", training=SigNetTraining(epochs=1), random_state=0).fit(X, y)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "mine.safetensors")
    featurizer.save_weights(path)
    loaded = SigNetFeaturizer(weights=path).fit(X)
print(loaded.architecture_, np.abs(loaded.transform(X) - featurizer.transform(X)).max() < 1e-6)
try:
    SigNetFeaturizer("grid").fit(X, y)
except ValueError as error:
    print(error)
"""


def test_an_architecture_is_two_files(additions):
    assert len(additions.add_architecture.files) == 2
    printed = additions.add_architecture.printed
    assert printed[:2] == ["a linear layer on a grid of ink 8", "ink_grid True"]
    assert "ink_grid" in printed[2]


def add_loss(copy):
    copy.create(
        "training/_hinge_loss.py",
        '''"""A margin on the logits of a linear classifier."""

from torch import nn
from torch.nn import functional as F

from sigkit.training._losses import LOSSES, WriterLoss
from sigkit.training._parameters import param, parameters


@parameters
class MarginLoss(WriterLoss):
    """Cross-entropy of a linear classifier whose right logit must win by a margin."""

    margin: float = param(1.0, float)
    writer_term: str = param("genuine", str)
    label_smoothing: float = param(0.0, float)

    def classifier(self, n_features, n_classes):
        return nn.Linear(n_features, n_classes)

    def training_logits(self, logits, classes):
        return logits - self.margin * F.one_hot(classes, logits.shape[1])


LOSSES["margin"] = MarginLoss
''',
    )
    copy.insert(
        "training/__init__.py",
        "from sigkit.training._importance",
        "from sigkit.training._hinge_loss import MarginLoss as MarginLoss\n",
    )
    return """
import json
from sigkit.estimators import AdversarialTrainer
from sigkit.training import MarginLoss, SigNetTraining
from sigkit.transformers import SigNetFeaturizer

featurizer = SigNetFeaturizer("tiny", training=SigNetTraining("margin", epochs=1), random_state=0)
print(json.loads(featurizer.fit(X, y).metadata_["recipe"])["training__loss__margin"])
featurizer.set_params(training__loss=MarginLoss(margin=2.0))
print(np.isfinite(AdversarialTrainer(featurizer, n_steps=1).fit(X, y).transform(X)).all())
try:
    featurizer.set_params(training__loss="hinge").fit(X, y)
except ValueError as error:
    print(error)
"""


def test_a_loss_is_two_files(additions):
    assert len(additions.add_loss.files) == 2
    printed = additions.add_loss.printed
    assert printed[:2] == ["1.0", "True"]
    assert "loss must be one of 'softmax', 'cosface', 'margin'" in printed[2]


def add_corpus(copy):
    catalogue = "datasets/_catalogue.py"
    copy.insert(
        catalogue,
        '@add_corpus(\n    Corpus(\n        name="CEDAR"',
        """@add_corpus(
    Corpus(
        name="Village",
        series=(Series(GENUINE, "{writer}/{number}.png", range(1, 3), range(1, 4)),),
        n_writers=2,
        canvas_size=(300, 500),
        summary="Two writers.",
        notes="",
        access="None.",
        reference="Nobody, 2026.",
    )
)
def load_village(folder, *, on_error="raise"):
    return load_corpus("village", folder, on_error=on_error)


""",
    )
    copy.insert(catalogue, '"load_puc_pr"]', '"load_village", ')
    return """
import os, tempfile
from PIL import Image
from sigkit import datasets

with tempfile.TemporaryDirectory() as folder:
    for writer in (1, 2):
        os.mkdir(os.path.join(folder, str(writer)))
        for number in (1, 2, 3):
            Image.fromarray(X[3 * writer + number]).save(os.path.join(folder, str(writer), f"{number}.png"))
    village = datasets.load_village(folder)
print(village.target.tolist(), village.canvas_size)
print("village" in datasets.list_corpora(), "load_village" in datasets.__all__)
print("Two writers." in datasets.load_village.__doc__)
"""


def test_a_corpus_is_one_file_besides_its_test(additions):
    assert additions.add_corpus.files == {"datasets/_catalogue.py"}
    printed = additions.add_corpus.printed
    assert printed[0] == "[[1, 0], [1, 0], [1, 0], [2, 0], [2, 0], [2, 0]] (300, 500)"
    assert printed[1:] == ["True True", "True"]
