"""Agreement with the original code on the same scans."""

import numpy as np

from sigkit.imaging import preprocess_image, read_image


def test_cedar_equals_the_original(shared_data):
    with np.load(shared_data / "reference" / "cedar_170x242.npz") as reference:
        expected = dict(zip(reference["filenames"].tolist(), reference["x"][:, 0]))
    scans = sorted((shared_data / "CEDAR").glob("full_*/*.png"))
    assert len(scans) == 1008
    n_equal = worst = 0
    for scan in scans:
        image, issues = preprocess_image(read_image(scan), canvas_size=(730, 1042))
        difference = np.abs(image.astype(int) - expected[scan.name])
        n_equal += np.count_nonzero(difference == 0)
        worst = max(worst, difference.max())
        assert not issues
    assert worst <= 1
    assert n_equal / (1008 * 170 * 242) >= 0.9999
