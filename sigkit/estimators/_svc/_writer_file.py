"""Files with the model of one writer."""

import json
from numbers import Real

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from sigkit._utils import read_file, seal_safetensors, unseal_safetensors, whole_file
from sigkit.estimators._svc._check_model import check_arrays, check_decision, check_numbers
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel

_FORMAT = "sigkit writer 2"
_REMEDY = "Export it again."


def write_writer(path, writer, model, bank, settings):
    """Write a writer's model, with a digest.

    Support vectors of development writers are written as row numbers of the bank. References of other enrolled writers
    are written as features, because the bank of the model that loads the file may not have them.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    writer : int or str
        The writer.
    model : RbfModel or LinearModel
        The model.
    bank : NegativeBank
        The negatives.
    settings : Settings
        The parameters of the verifier.

    Raises
    ------
    ValueError
        If the model has values that `read_writer` would refuse.
    OSError
        If the file cannot be written.
    """
    fields = model._asdict()
    about = {
        "writer": writer,
        "bank": bank.fingerprint,
        "kernel": settings.kernel,
        "C": float(settings.C),
        "scaling": settings.scaling,
        "intercept": fields.pop("intercept"),
    }
    if isinstance(model, RbfModel):
        about["gamma"] = fields.pop("gamma")
        rows, coef = fields.pop("rows"), fields.pop("coef")
        dev = rows < bank.n_dev
        fields |= {"rows": rows[dev], "coef": coef[dev], "peers": bank.rows[rows[~dev]], "peer_coef": coef[~dev]}
    arrays = {name: np.ascontiguousarray(array) for name, array in fields.items() if array is not None}
    check_arrays(f"writer {writer!r}", arrays, about, bank)
    check_decision(f"writer {writer!r}", model, bank)
    content = save(arrays, metadata={name: json.dumps(value) for name, value in about.items()})
    with whole_file(path) as file:
        file.write(seal_safetensors(content, _FORMAT))


def read_writer(path, bank, settings):
    """Read a writer's model.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    bank : NegativeBank
        The negatives of the verifier that loads the writer.
    settings : Settings
        The parameters of that verifier.

    Returns
    -------
    writer : int or str
        The writer.
    model : RbfModel or LinearModel
        The model.
    bank : NegativeBank
        The negatives, with those from the file.

    Raises
    ------
    ValueError
        If the file is damaged or not a writer's model, or does not match the bank or the parameters.
    OSError
        If the file cannot be read.
    """
    content = read_file(path)
    about = unseal_safetensors(content, path, _FORMAT, _REMEDY)
    try:
        arrays = load(content)
        about = {name: json.loads(value) for name, value in about.items()}
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a whole file of a writer's model ({error}). {_REMEDY}") from error
    check_numbers(path, about)
    if about["bank"] != bank.fingerprint:
        raise ValueError(
            f"{path}: written by a model with other negatives, or another scale. Load it into a copy of that model, or "
            "into a model that was fitted to the same signatures with the same random_state."
        )
    wanted = {"kernel": settings.kernel, "C": float(settings.C), "scaling": settings.scaling}
    # On a scale of its own, gamma="scale" gives each writer another coefficient.
    if settings.kernel == "rbf" and isinstance(settings.gamma, Real):
        wanted["gamma"] = float(settings.gamma)
    differing = [name for name, value in wanted.items() if about.get(name) != value]
    if differing:
        then, now = (", ".join(f"{name}={of.get(name)!r}" for name in differing) for of in (about, wanted))
        raise ValueError(f"{path}: has {then}; this model has {now}. Fit with the parameters of the file.")
    check_arrays(path, arrays, about, bank)
    model, bank = _model(arrays, about, bank)
    check_decision(path, model, bank)
    return about["writer"], model, bank


def _model(arrays, about, bank):
    """Make the model of checked arrays; return it, and the bank with the negatives that it brings."""
    if about["kernel"] == "linear":
        return LinearModel(arrays["direction"], about["intercept"]), bank
    peers, n_rows = arrays["peers"], len(bank.rows)
    if len(peers):
        # They are not negatives for writers who enroll here.
        bank = bank.with_rows(peers, np.full(len(peers), None), active=False)
    model = RbfModel(
        arrays["references"],
        arrays["reference_coef"],
        np.concatenate([arrays["rows"], np.arange(n_rows, n_rows + len(peers), dtype=np.int32)]),
        np.concatenate([arrays["coef"], arrays["peer_coef"]]),
        about["intercept"],
        about["gamma"],
        arrays.get("factor"),
    )
    return model, bank
