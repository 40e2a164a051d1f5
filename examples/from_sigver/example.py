"""As sigver's `example.py`: preprocess a scan, and compute its features with published weights.

    python examples/from_sigver/example.py some_signature.png signet.pth

The weights are not in this repository; sigver's README says where they are, and that they are for non-commercial use.
"""

import numpy as np
from sigver_options import parser_of, run

from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

CANVAS_SIZE = (952, 1360)
"""Of GPDS, on which the published weights were trained."""


def main(arguments=None):
    parser = parser_of(__doc__)
    parser.add_argument("scan")
    parser.add_argument("weights", help=".pth file of sigver, or .safetensors file of sigkit")
    parser.add_argument("--model", default="signet", help="architecture of a .pth file (default: signet)")
    parser.add_argument("--save-path", help="file for the features, .npy")
    options = parser.parse_args(arguments)
    image = SignaturePreprocessor(canvas_size=CANVAS_SIZE).fit_transform([options.scan])
    # sigver divides by 255 and crops to 150 x 220 pixels; here the featurizer does.
    features = SigNetFeaturizer(options.model, weights=options.weights).fit_transform(image)
    print(f"{features.shape[1]} features; the first are {features[0, :5]}")
    if options.save_path:
        np.save(options.save_path, features)


if __name__ == "__main__":
    run(main)
