"""`sigkit preprocess`: scans into one .npz file."""

import os
import shutil
from contextlib import suppress

import numpy as np

from sigkit._commands._files import check_output, load_scans
from sigkit._commands._images import make_preprocessor
from sigkit.datasets import save_npz


def run(options):
    """Run the command.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    """
    check_output(options.output, (".npz",))
    corpus = load_scans(options)
    # Images are kept until the file is complete, so that an interrupted command continues where it stopped.
    temporary = None if options.memory else f"{options.output}.unfinished"
    options.memory = options.memory or temporary
    preprocessor = make_preprocessor(options, corpus.canvas_size)
    images = preprocessor.fit_transform(corpus.images)
    save_npz(options.output, images, corpus.target, [_name(path, options.source) for path in corpus.images])
    if temporary:
        shutil.rmtree(os.path.join(temporary, "sigkit"), ignore_errors=True)
        with suppress(OSError):
            os.rmdir(temporary)
    height, width = images.shape[1:]
    writers = len(np.unique(np.array(corpus.target[:, 0].tolist())))
    rows, columns = preprocessor.canvas_size_
    print(f"{len(images)} signatures of {writers} writers, {height} x {width} pixels, canvas {rows} x {columns}.")
    print(f"They are in {options.output}.")


def _name(path, source):
    """Return the path of a scan within its folder, without the names of folders of this machine."""
    folder = source if os.path.isdir(source) else os.path.dirname(source)
    return os.path.relpath(path, folder or os.curdir)
