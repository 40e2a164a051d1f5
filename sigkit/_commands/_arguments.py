"""The arguments of all commands. Only argparse is imported, so that `--help` is immediate.

argparse rather than typer or click: it is part of Python, so the installed command needs no further package.
"""

import argparse

from sigkit import __version__

_SOURCE = "a folder of scans, a table of paths (.csv) or an .npz file of preprocessed signatures"


def make_parser():
    """Make the parser of the command line.

    Returns
    -------
    argparse.ArgumentParser
        The parser; its result has the name of the command as `command`.
    """
    parser = argparse.ArgumentParser(
        prog="sigkit", description="Verify offline handwritten signatures, and train and evaluate verifiers."
    )
    parser.add_argument("--version", action="version", version=f"sigkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_verify, _add_audit, _add_preprocess, _add_train, _add_evaluate):
        add(commands)
    return parser


def _add(commands, name, summary, description):
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{description}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _resolution(text):
    try:
        return text if text == "file" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'a number of dpi or "file" is expected, found {text!r}') from None


def _add_verify(commands):
    parser = _add(commands, "verify", "verify signatures against references", _VERIFY)
    parser.add_argument("--references", nargs="+", metavar="IMAGE", help="genuine signatures of one person")
    parser.add_argument("--customers", metavar="FOLDER", help="or a folder that has one folder of images per person")
    parser.add_argument("--claim", metavar="NAME", help="the customer who is claimed to have signed")
    parser.add_argument("--query", nargs="+", metavar="IMAGE", help="the signatures to verify")
    parser.add_argument("--far", type=float, default=0.05, help="share of skilled forgeries accepted (default: 0.05)")
    parser.add_argument("--threshold", type=float, help="accept scores of at least this, whatever --far is")
    parser.add_argument("--weights", default="synthetic", help="weights of the network (default: synthetic)")
    parser.add_argument(
        "--resolution",
        type=_resolution,
        default=300,
        metavar="DPI",
        help='resolution of all scans in dpi, or "file" for those that the files state (default: 300)',
    )
    canvas = "of the largest signature in pixels at 300 dpi"
    parser.add_argument("--rows", type=int, default=765, help=f"height {canvas} (default: 765)")
    parser.add_argument("--columns", type=int, default=1089, help=f"width {canvas} (default: 1089)")
    choices = ("otsu", "adaptive", "photo")
    parser.add_argument("--background", choices=choices, default="otsu", help="photo for photographs and forms")


def _add_audit(commands):
    parser = _add(commands, "audit", "find copies, poor scans and shortcuts in a corpus", _AUDIT)
    _add_source(parser, "a folder of scans or a table of paths (.csv)")
    parser.add_argument("--background", choices=("otsu", "adaptive"), default="otsu", help="(default: otsu)")
    parser.add_argument("--page", metavar="IMAGE", help="write a page of the worst scans, such as worst.png")
    parser.add_argument("--csv", metavar="FILE", help="write a table with a row for each scan")
    parser.add_argument("--json", metavar="FILE", help="write the findings")
    _add_jobs(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the intervals (default: 0)")


def _add_preprocess(commands):
    parser = _add(commands, "preprocess", "preprocess scans into one .npz file", _PREPROCESS)
    _add_source(parser, "a folder of scans or a table of paths (.csv)")
    parser.add_argument("output", metavar="OUT.npz", help="the file to write")
    _add_preprocessing(parser)


def _add_train(commands):
    parser = _add(commands, "train", "train a network on signatures and write its weights", _TRAIN)
    _add_source(parser, _SOURCE, nargs="?")
    parser.add_argument("--synthetic", type=int, metavar="N", help="or train on synthetic signatures of N writers")
    parser.add_argument(
        "--output", required=True, metavar="WEIGHTS", help="the file to write, .safetensors, or .pth in sigver's format"
    )
    parser.add_argument(
        "--checkpoint-dir", metavar="FOLDER", help="state of the training, where it is resumed; drawn signatures too"
    )
    recipes = ("signet", "signet-f", "transfer", "synthetic")
    parser.add_argument("--recipe", choices=recipes, default="signet", help="see above (default: signet)")
    parser.add_argument("--architecture", help="use another network than that of the recipe")
    parser.add_argument("--initial-weights", metavar="WEIGHTS", help="start from these weights")
    parser.add_argument("--epochs", type=int, help="use another number than that of the recipe")
    parser.add_argument("--writers", nargs="+", metavar="ID", help="train on these only: ids, or ranges FIRST:LAST")
    _add_device(parser)
    parser.add_argument("--half", action="store_true", help="write .safetensors weights in half precision")
    _add_preprocessing(parser)
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")


def _add_evaluate(commands):
    parser = _add(commands, "evaluate", "evaluate writer-dependent verification on a corpus", _EVALUATE)
    _add_source(parser, _SOURCE)
    parser.add_argument(
        "--dev-writers", nargs="*", metavar="ID", help="development writers: ids, or ranges FIRST:LAST; none if empty"
    )
    parser.add_argument(
        "--weights", default="synthetic", help="of the network: synthetic, .safetensors or .pth (default: synthetic)"
    )
    parser.add_argument("--architecture", default="signet", help="architecture of a .pth file (default: signet)")
    choices = ("fused", "svm")
    parser.add_argument("--verifier", choices=choices, default="fused", help="SVM and strokes, or SVM (default: fused)")
    parser.add_argument("--threshold", type=float, help="of FRR and FAR (default: that of the verifier)")
    parser.add_argument("--references", type=int, default=12, help="references per writer (default: 12)")
    parser.add_argument("--queries", type=int, default=10, help="genuine queries per writer (default: 10)")
    parser.add_argument("--splits", type=int, default=10, help="splits into references and queries (default: 10)")
    parser.add_argument("--kernel", choices=("rbf", "linear"), default="rbf", help="(default: rbf)")
    parser.add_argument("-C", type=float, default=1.0, help="penalty of an error (default: 1)")
    parser.add_argument("--gamma", type=float, help="of the RBF kernel (default: 1 / number of features)")
    parser.add_argument("--scaling", choices=("shared", "writer", "none"), default="shared", help="(default: shared)")
    parser.add_argument("--folder", help="folder in which finished splits are saved, where it is resumed")
    parser.add_argument("--json", metavar="FILE", help="write the error rates and the settings")
    parser.add_argument("--csv", metavar="FILE", help="write a table with a row for each error rate")
    parser.add_argument("--det", metavar="IMAGE", help="write the DET curve of the first split, such as det.png")
    _add_device(parser)
    _add_preprocessing(parser)
    parser.add_argument("--seed", type=int, default=0, help="of splits, negatives and intervals (default: 0)")


def _add_source(parser, source, **settings):
    parser.add_argument("source", metavar="SOURCE", help=source, **settings)
    parser.add_argument("--corpus", metavar="NAME", help="the folder is a public corpus: bhsig260, cedar, gpds, ...")
    parser.add_argument("--pattern", help='how the files are named, such as "{writer}/{kind}_*.png"')
    parser.add_argument("--skip-unreadable", action="store_true", help="leave unreadable files out, with a warning")


def _add_preprocessing(parser):
    group = parser.add_argument_group("preprocessing of scans")
    size = {"nargs": 2, "type": int, "metavar": ("ROWS", "COLUMNS")}
    group.add_argument("--canvas", **size, help="(default: that of the corpus, or the smallest that holds all)")
    group.add_argument("--image-size", **size, default=(170, 242), help="(default: 170 242)")
    choices = ("otsu", "adaptive", "photo", "none")
    group.add_argument("--background", choices=choices, default="otsu", help="(default: otsu)")
    group.add_argument(
        "--resolution", type=_resolution, metavar="DPI", help='of all scans, or "file" (default: not resampled)'
    )
    choices = ("warn", "error", "ignore")
    group.add_argument("--on-poor-scan", choices=choices, default="warn", help="(default: warn)")
    group.add_argument("--memory", metavar="FOLDER", help="folder in which images and features are cached")
    _add_jobs(group)


def _add_device(parser):
    parser.add_argument("--device", help="cpu or cuda (default: an accelerator if there is one)")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="float32")


def _add_jobs(parser):
    parser.add_argument("--n-jobs", type=int, default=-1, help="scans at a time (default: one per core)")


_VERIFY = """\
    sigkit verify --references ada1.png ada2.png ada3.png ada4.png ada5.png --query cheque.png
    sigkit verify --customers customers --claim ada --query cheque.png letter.png
    sigkit verify

The first form takes references of one person; the second takes a folder with one folder per person
(customers/ada/1.png, customers/bob/1.png, ...); the third makes such a folder of synthetic signatures and verifies
three signatures. Use five or more references, with dark ink on bright paper. The size of a signature is compared, too:
scans should have 300 dpi, or pass --resolution 200, or --resolution file if all files state their resolution. For
photographs, forms and ruled paper, add --background photo: it removes what is not the signature, and brings it to a
usual size.

A poor scan, such as one with a shadow or a frame near its borders, or of another resolution, is not judged: a query is
inconclusive, and references are refused.

An SVM separates the references from negatives, signatures of 20 synthetic writers and those of the other customers if
there are any, and the strokes are compared. The threshold is set so that 5 % of the skilled forgeries of the synthetic
writers are accepted (--far 0.05). Nothing is downloaded, and nothing is sent anywhere."""

_AUDIT = """\
    sigkit audit scans --page worst.png --csv scans.csv
    sigkit audit CEDAR --corpus cedar

Copies, unreadable, odd and poor scans are listed, and statistics that tell genuine signatures from forgeries without
any look at the handwriting, such as the brightness of the paper."""

_PREPROCESS = """\
    sigkit preprocess CEDAR cedar.npz --corpus cedar
    sigkit preprocess scans scans.npz --canvas 765 1089 --background photo

The background is cleared, and signatures are centered and scaled to one size. The file appears when it is complete. If
the command is interrupted, the next call with the same arguments continues there: images are kept in a folder beside
the file until it is written, or in that of --memory."""

_TRAIN = """\
    sigkit train scans --output signet.safetensors --checkpoint-dir run
    sigkit train bhsig260.npz --recipe transfer --output features.safetensors --checkpoint-dir run
    sigkit train --synthetic 1000 --recipe synthetic --output drawn.safetensors --checkpoint-dir run

An interrupted training that is started again with the same arguments resumes after the last complete epoch, and ends
with the same weights. Recipes:

signet     genuine signatures and random crops, as in arXiv:1705.05787
signet-f   the same with skilled forgeries and a forgery loss (lambda 0.95, equation 4)
transfer   features that transfer to other corpora: a residual network, forgeries and mirror images as additional
           classes, a cosine margin, distorted images
synthetic  the recipe of the weights in the package, for thousands of synthetic writers"""

_EVALUATE = """\
    sigkit evaluate CEDAR --corpus cedar --memory cache --folder results
    sigkit evaluate gpds.npz --weights signet.pth --dev-writers 300:880 --json rates.json

References are drawn from the genuine signatures of each enrolled writer. One SVM per writer, on features of a network,
fused with a comparison of strokes, scores the others and the forgeries. Every third writer belongs to the development
set, unless --dev-writers names others."""
