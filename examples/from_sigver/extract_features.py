"""As `extract_features.py` of sigver's repository of adversarial examples: features of SigNet and CLBP features.

    python examples/from_sigver/extract_features.py --data-path cedar.npz --weights-path signet.pth \\
        --save-path-signet cedar_signet.npy --save-path-lbp cedar_lbp.npy
"""

import numpy as np
from sigver_options import parser_of, run

from sigkit.datasets import load_npz
from sigkit.nets import center_crop
from sigkit.transformers import CLBPFeaturizer, SigNetFeaturizer


def main(arguments=None):
    parser = parser_of(__doc__)
    parser.add_argument("--data-path", required=True, help="the .npz file")
    parser.add_argument("--weights-path", required=True)
    parser.add_argument("--model", default="signet", help="architecture of a .pth file (default: signet)")
    parser.add_argument("--save-path-signet", required=True)
    parser.add_argument("--save-path-lbp", required=True)
    options = parser.parse_args(arguments)
    images = load_npz(options.data_path).images
    featurizer = SigNetFeaturizer(options.model, weights=options.weights_path, verbose=1)
    np.save(options.save_path_signet, featurizer.fit_transform(images))
    np.save(options.save_path_lbp, CLBPFeaturizer().fit_transform(center_crop(images, (150, 220))))


if __name__ == "__main__":
    run(main)
