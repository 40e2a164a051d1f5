"""As `data/unpack_dataset.py` of sigver's repository of adversarial examples: write the images of an .npz file.

    python examples/from_sigver/unpack_dataset.py --data-path cedar.npz --save-path images

Images are inverted, so that ink is dark. A file has the name of its scan, or a number if the .npz file names none.
"""

import os

from PIL import Image
from sigver_options import parser_of, run

from sigkit.datasets import load_npz


def main(arguments=None):
    parser = parser_of(__doc__)
    parser.add_argument("--data-path", required=True, help="the .npz file")
    parser.add_argument("--save-path", required=True, help="the folder to write")
    options = parser.parse_args(arguments)
    os.makedirs(options.save_path, exist_ok=True)
    signatures = load_npz(options.data_path)
    for number, (image, name) in enumerate(zip(signatures.images, signatures.filenames.tolist())):
        # A name in a file of another person must not lead out of the folder.
        name = os.path.splitext(os.path.basename(name.replace("\\", "/")))[0] or f"{number:05}"
        Image.fromarray(255 - image).save(os.path.join(options.save_path, f"{name}.png"))
    print(f"{len(signatures.images)} images are in {options.save_path}.")


if __name__ == "__main__":
    run(main)
