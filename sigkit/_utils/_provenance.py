"""Metadata of weight files: how the training images were preprocessed, and how the network was trained."""

import datetime
import json
from numbers import Integral, Real

import numpy as np

import sigkit
from sigkit._utils._warn import warn

# The share of ink pixels differs between corpora by less than this factor. Images whose background was not removed, or
# which were not inverted, differ by much more.
_FACTOR = 3.0


def describe_preprocessing(X):
    """Describe preprocessed images.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width)
        Preprocessed signatures.

    Returns
    -------
    str
        A JSON object: the shape of the images, and the median share of ink pixels (those that are not background).

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import describe_preprocessing
    >>> describe_preprocessing(np.eye(10)[None] * 255)
    '{"image_size": [10, 10], "ink_share": 0.1}'
    """
    return json.dumps({"image_size": list(X.shape[1:]), "ink_share": round(_ink_share(X), 5)})


def describe_training(recipe, n_signatures, n_writers):
    """Describe a training.

    Parameters
    ----------
    recipe : dict
        The settings that determine its result.
    n_signatures, n_writers : int
        Size of the training set.

    Returns
    -------
    dict of str to str
        The recipe as JSON, the size of the training set, the date, and the version of sigkit.

    Examples
    --------
    >>> from sigkit._utils import describe_training
    >>> description = describe_training({"lr": 0.1}, n_signatures=240, n_writers=10)
    >>> description["recipe"], description["trained_on"]
    ('{"lr": 0.1}', '240 distinct signatures of 10 writers')
    """
    return {
        "recipe": json.dumps(recipe),
        "trained_on": f"{n_signatures} distinct signatures of {n_writers} writers",
        "date": datetime.date.today().isoformat(),
        "sigkit": sigkit.__version__,
    }


def with_terms(metadata, corpus, licence):
    """Add the corpus and the license to the metadata of weights.

    Parameters
    ----------
    metadata : dict of str to str
        The metadata.
    corpus, licence : str or None
        The training corpus, and the license of the weights; None adds nothing.

    Returns
    -------
    dict of str to str
        The metadata with both.

    Examples
    --------
    >>> from sigkit._utils import with_terms
    >>> with_terms({"architecture": "signet"}, corpus="CEDAR", licence=None)
    {'architecture': 'signet', 'corpus': 'CEDAR'}
    """
    terms = {"corpus": corpus, "licence": licence}
    return metadata | {name: text for name, text in terms.items() if text is not None}


def check_metadata(metadata, path):
    """Check the entries that sigkit reads from the metadata of a weight file.

    Parameters
    ----------
    metadata : dict of str to str
        The metadata. Entries may be missing; others are not checked.
    path : str or os.PathLike
        The file, for the message.

    Raises
    ------
    ValueError
        If an entry cannot have been written by sigkit.

    Examples
    --------
    >>> from sigkit._utils import check_metadata
    >>> check_metadata({"preprocessing": '{"image_size": [170, 242], "ink_share": 0.02}'}, "signet.safetensors")
    >>> check_metadata({"preprocessing": '{"image_size": 5}'}, "signet.safetensors")
    Traceback (most recent call last):
        ...
    ValueError: signet.safetensors: its metadata have preprocessing={"image_size": 5}, not a JSON object with ...
    """
    for name, (fits, expected) in _ENTRIES.items():
        if name not in metadata:
            continue
        try:
            sound = fits(json.loads(metadata[name]))
        except (ValueError, TypeError, RecursionError):
            sound = False
        if not sound:
            raise ValueError(
                f"{path}: its metadata have {name}={metadata[name][:100]}, not {expected}. Save or copy the file again."
            )


def compare_preprocessing(X, metadata, path, *, trained_further=False):
    """Compare images with the training images of weights: the size must be the same, the share of ink similar.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width)
        Preprocessed signatures.
    metadata : dict of str to str
        The metadata of the weight file, checked; if they do not describe the preprocessing, nothing is compared.
    path : str or os.PathLike
        The weight file.
    trained_further : bool, default=False
        Whether the weights are the start of a training, which may use another size.

    Raises
    ------
    ValueError
        If the weights are used as they are, and the images have another size.

    Warns
    -----
    UserWarning
        If the share of ink differs by more than a factor of three.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import compare_preprocessing, describe_preprocessing
    >>> images = np.eye(10)[None] * 255
    >>> compare_preprocessing(images, {"preprocessing": describe_preprocessing(images)}, "signet.safetensors")
    """
    if "preprocessing" not in metadata:
        return
    trained = json.loads(metadata["preprocessing"])
    size, share = trained["image_size"], trained["ink_share"]
    if size != list(X.shape[1:]) and not trained_further:
        raise ValueError(
            f"{path}: these weights were trained with images of {size[0]} x {size[1]} pixels; found images of "
            f"{X.shape[1]} x {X.shape[2]}. Preprocess with image_size=({size[0]}, {size[1]})."
        )
    given = _ink_share(X)
    if not share / _FACTOR <= given <= share * _FACTOR:
        warn(
            f"{path}: these weights were trained with images that were preprocessed differently; found ink on "
            f"{given:.1%} of the pixels instead of about {share:.1%}. Features may be poor; preprocess as in training "
            "(background removed, ink bright, and a canvas_size that gives signatures about the same size)."
        )


def _ink_share(X, n_sampled=1000):
    # A sample is enough for a median that is compared to a factor of 3.
    X = X[:: max(1, len(X) // n_sampled)]
    return float(np.median((X > 0).mean(axis=(1, 2))))


def _is_preprocessing(value):
    size, share = (value.get(name) for name in ("image_size", "ink_share")) if isinstance(value, dict) else (None, None)
    return (
        isinstance(size, list)
        and len(size) == 2
        and all(isinstance(side, Integral) and not isinstance(side, bool) and side > 0 for side in size)
        and isinstance(share, Real)
        and not isinstance(share, bool)
        and 0 <= share <= 1
    )


def _is_adaptation(value):
    return isinstance(value, dict) and all(
        value[name] is None or isinstance(value[name], (str, bool, int, float)) for name in value
    )


def _is_object(value):
    return isinstance(value, dict)


_ENTRIES = {
    "preprocessing": (_is_preprocessing, "a JSON object with image_size, two positive integers, and ink_share, 0 to 1"),
    "recipe": (_is_object, "a JSON object of parameters"),
    "start": (_is_object, "a JSON object, the metadata of the initial weights"),
    "adaptation": (_is_adaptation, "a JSON object of the parameters of an adaptation"),
}
"""The entries that are checked: whether a value fits, and what is expected."""
