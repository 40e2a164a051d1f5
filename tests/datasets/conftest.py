"""Folders with small scans."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def draw():
    """Return a function that saves a tiny scan under each name in a folder."""

    def draw_scans(folder, names):
        image = Image.fromarray(np.full((4, 6), 255, dtype=np.uint8))
        for name in names:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)

    return draw_scans
