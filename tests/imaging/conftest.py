"""What tests share: the benchmark of damaged files, with its seeds, and signatures beside their photographs."""

import importlib.util
from pathlib import Path

import pytest
from scipy import ndimage

from sigkit.datasets import make_signatures
from sigkit.imaging import preprocess_image

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "fuzz_scans.py"


@pytest.fixture(scope="session")
def fuzz():
    """Return the module of the benchmark."""
    spec = importlib.util.spec_from_file_location("fuzz_scans", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def seeds(fuzz):
    """Return the contents of sound files of all formats and modes, by name."""
    return {name: content for name, content in fuzz.make_seeds().items() if name.endswith("0")}


@pytest.fixture(scope="session")
def scans():
    """Return signatures of four writers, clean."""
    return make_signatures(n_writers=4, n_genuine=1, n_skilled=0, random_state=31)[0]


@pytest.fixture(scope="session")
def ink_of():
    """Return the function that finds the ink of a photograph."""

    def ink_of(scan):
        return preprocess_image(scan, (765, 1089), (340, 484), "photo").image > 60

    return ink_of


@pytest.fixture(scope="session")
def agreement():
    """Return the function that compares two images of ink."""

    def agreement(first, second, tolerance=4):
        """Return the share of the ink of each that is near ink of the other, the smaller of the two."""
        near = [ndimage.binary_dilation(ink, iterations=tolerance) for ink in (first, second)]
        return min(second[near[0]].sum() / second.sum(), first[near[1]].sum() / first.sum())

    return agreement
