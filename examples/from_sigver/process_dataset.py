"""As `python -m sigver.preprocessing.process_dataset`: preprocess a corpus into an .npz file.

    python examples/from_sigver/process_dataset.py --dataset mcyt --path MCYT --save-path mcyt_170_242.npz

The options are those of sigver. Users are numbered from 0, as there. The file can be read by sigver, too.
"""

import os

import numpy as np
from sigver_options import parser_of, run

from sigkit.datasets import load_corpus, save_npz
from sigkit.transformers import SignaturePreprocessor

CORPORA = {"gpds": "gpds", "mcyt": "mcyt75", "cedar": "cedar", "brazilian": "puc_pr", "brazilian-nosimple": "puc_pr"}
SIMPLE = 2


def main(arguments=None):
    parser = parser_of(__doc__)
    parser.add_argument("--dataset", choices=CORPORA, required=True)
    parser.add_argument("--path", required=True, help="the folder of the signatures")
    parser.add_argument("--save-path", required=True, help="the file to write")
    parser.add_argument("--image-size", nargs=2, type=int, default=(170, 242), help="rows and columns of the images")
    options = parser.parse_args(arguments)
    corpus = load_corpus(CORPORA[options.dataset], options.path)
    kept = np.flatnonzero((corpus.target[:, 1] != SIMPLE) | (options.dataset != "brazilian-nosimple"))
    settings = {"canvas_size": corpus.canvas_size, "image_size": tuple(options.image_size), "n_jobs": -1, "verbose": 1}
    images = SignaturePreprocessor(**settings).fit_transform(corpus.images[kept])
    _, numbers = np.unique(np.array(corpus.target[kept, 0].tolist()), return_inverse=True)
    names = [os.path.basename(path) for path in corpus.images[kept]]
    save_npz(options.save_path, images, np.stack([numbers, corpus.target[kept, 1].astype(int)], axis=1), names)
    print(f"{len(images)} signatures of {numbers.max() + 1} users are in {options.save_path}.")


if __name__ == "__main__":
    run(main)
