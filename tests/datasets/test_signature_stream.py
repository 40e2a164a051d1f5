"""The endless stream of synthetic signatures."""

from itertools import islice

import numpy as np
import pytest
from torch.utils.data import DataLoader

from sigkit.datasets import SignatureStream, make_signatures
from sigkit.imaging import preprocess_image


def test_the_stream_equals_make_signatures():
    images, target = make_signatures(2, 2, 1, random_state=0, n_simple=1, scan="mixed", script="latin")
    stream = SignatureStream(2, 1, 1, canvas_size=None, random_state=0, script="latin")
    for (image, *claim), expected, row in zip(islice(stream, 8), images, target, strict=True):
        np.testing.assert_array_equal(image, expected)
        assert claim == row.tolist()


def test_images_are_preprocessed():
    raw = next(iter(SignatureStream(canvas_size=None, random_state=0)))[0]
    image = next(iter(SignatureStream(canvas_size=(765, 1089), random_state=0)))[0]
    np.testing.assert_array_equal(image, preprocess_image(raw, (765, 1089)).image)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_any_number_of_workers_yields_the_same(num_workers):
    stream = SignatureStream(2, 2, random_state=1, first_writer=7)
    batches = list(islice(DataLoader(stream, batch_size=4, num_workers=num_workers), 3))
    images, target = make_signatures(3, 2, 2, random_state=1, first_writer=7, scan="mixed")
    for number, (pictures, writers, forgeries) in enumerate(batches):
        rows = slice(4 * number, 4 * number + 4)
        np.testing.assert_array_equal(np.stack([writers, forgeries], axis=1), target[rows])
        for picture, scan in zip(pictures.numpy(), images[rows], strict=True):
            np.testing.assert_array_equal(picture, preprocess_image(scan, (765, 1089)).image)


def test_it_does_not_end():
    writers = [writer for _, writer, _ in islice(SignatureStream(1, 0, random_state=0), 30)]
    assert writers == list(range(1, 31))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_genuine": -1}, ValueError, "n_genuine"),
        ({"n_genuine": 0, "n_skilled": 0}, ValueError, "at least one signature per writer"),
        ({"first_writer": 0}, ValueError, "first_writer"),
        ({"script": "greek"}, ValueError, "script"),
        ({"resolution": 50}, ValueError, "resolution"),
        ({"resolution": 600}, ValueError, "at least 1371 rows and 1985 columns"),
        ({"canvas_size": "max"}, ValueError, "canvas_size must be None, or at least 686 rows and 993 columns"),
        ({"canvas_size": (765,)}, ValueError, "canvas_size"),
    ],
)
def test_invalid_parameters_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        SignatureStream(**parameters)


def test_coarse_scans_do_not_end_the_stream():
    for script in ("latin", "indic", "abstract"):
        stream = SignatureStream(5, 5, random_state=0, script=script, resolution=100, canvas_size=(255, 363))
        assert len(list(islice(stream, 150))) == 150
