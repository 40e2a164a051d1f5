"""What images a network learned from, said in its weight file, and compared with those that it is given."""

import datetime
import json
import warnings

import numpy as np

import sigkit

# Corpora differ in their shares of ink by less than this factor; a background left in, or inverted, by far more.
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
        A JSON object: the shape of the images, and the median share of pixels that are not background.

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
        What decided its result.
    n_signatures, n_writers : int
        How much was learned from.

    Returns
    -------
    dict of str to str
        The recipe as JSON, what was trained on, the date, and the version of sigkit.
    """
    return {
        "recipe": json.dumps(recipe),
        "trained_on": f"{n_signatures} distinct signatures of {n_writers} writers",
        "date": datetime.date.today().isoformat(),
        "sigkit": sigkit.__version__,
    }


def with_terms(metadata, corpus, licence):
    """Add what the user says of weights to what is known of them.

    Parameters
    ----------
    metadata : dict of str to str
        What is known.
    corpus, licence : str or None
        What they were trained on, and the terms of their use; None says nothing.

    Returns
    -------
    dict of str to str
        Both.
    """
    said = {"corpus": corpus, "licence": licence}
    return metadata | {name: text for name, text in said.items() if text is not None}


def compare_preprocessing(X, metadata, path):
    """Warn if images were not preprocessed as those that the weights were trained with.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width)
        Preprocessed signatures.
    metadata : dict of str to str
        What the weight file says; nothing is compared if it says nothing of the preprocessing.
    path : str or os.PathLike
        The weight file.
    """
    try:
        learned = json.loads(metadata.get("preprocessing", "null"))
        size, share = learned["image_size"], float(learned["ink_share"])
    except (KeyError, TypeError, ValueError):
        return
    found = []
    if size != list(X.shape[1:]):
        found.append(f"images of {X.shape[1]} x {X.shape[2]} pixels instead of {' x '.join(map(str, size))}")
    given = _ink_share(X)
    if not share / _FACTOR <= given <= share * _FACTOR:
        found.append(f"ink on {given:.1%} of the pixels instead of about {share:.1%}")
    if found:
        warnings.warn(
            f"{path}: these weights were trained with images that were preprocessed in another way; found "
            f"{' and '.join(found)}. Features may be poor; preprocess as in training (background removed, ink bright, "
            "and a canvas_size that leaves signatures about as large).",
            UserWarning,
            stacklevel=4,
        )


def _ink_share(X, n_looked_at=1000):
    X = X[:: max(1, len(X) // n_looked_at)]
    return float(np.median((X > 0).mean(axis=(1, 2))))
