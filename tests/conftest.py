"""What all tests share: where real data is, and drawn scans."""

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real scans and reference arrays; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SIGKIT_DATA", ROOT / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data: there is no folder {folder}; set SIGKIT_DATA to where it is")
    return folder


@pytest.fixture
def draw_scan():
    """Draw a scan: grey paper, and ink in a slanted line of some thickness."""

    def draw(height=120, width=260, ink=40, paper=230, seed=0):
        rng = np.random.default_rng(seed)
        scan = np.full((height, width), paper, dtype=np.uint8)
        scan -= rng.integers(0, 12, scan.shape, dtype=np.uint8)
        for column in range(20, width - 20):
            middle = int(height * (0.5 + 0.25 * np.sin(column / 17 + seed)))
            scan[middle - 2 : middle + 3, column] = ink + rng.integers(0, 12)
        return scan

    return draw
