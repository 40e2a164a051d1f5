"""Files with the model of one writer."""

import json

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from sigkit._utils import whole_file
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel

FORMAT = "sigkit writer 1"


def write_writer(path, writer, model, bank):
    """Write a writer's model.

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
    """
    fields = model._asdict()
    about = {"format": FORMAT, "writer": writer, "bank": bank.fingerprint, "intercept": fields.pop("intercept")}
    if isinstance(model, RbfModel):
        about["gamma"] = fields.pop("gamma")
        rows, coef = fields.pop("rows"), fields.pop("coef")
        dev = rows < bank.n_dev
        fields |= {"rows": rows[dev], "coef": coef[dev], "peers": bank.rows[rows[~dev]], "peer_coef": coef[~dev]}
    arrays = {name: np.ascontiguousarray(array) for name, array in fields.items() if array is not None}
    content = save(arrays, metadata={name: json.dumps(value) for name, value in about.items()})
    with whole_file(path) as file:
        file.write(content)


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
    # A missing or unreadable file raises the operating system's error, which names it.
    open(path, "rb").close()
    try:
        with safe_open(path, framework="np") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = {name: json.loads(value) for name, value in (file.metadata() or {}).items()}
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a whole file of a writer's model ({error}). Export it again.") from error
    if about.get("format") != FORMAT:
        raise ValueError(f"{path}: not a writer's model. export_writer writes them.")
    numbers = [about.get("intercept"), about.get("gamma", 1.0)]
    if not all(isinstance(number, float) and np.isfinite(number) for number in numbers) or numbers[1] <= 0:
        raise ValueError(f"{path}: a damaged model; its intercept and gamma are {numbers}. Export it again.")
    writer = about.get("writer")
    if not isinstance(writer, (int, str)) or isinstance(writer, bool) or writer == "":
        raise ValueError(f"{path}: a damaged model; its writer is {writer!r}. Export it again.")
    if about.get("bank") != bank.fingerprint:
        raise ValueError(
            f"{path}: written by a model with other negatives, or another scale. Load it into a copy of that model, or "
            "into a model that was fitted to the same signatures with the same random_state."
        )
    kernel, scaling = "rbf" if "gamma" in about else "linear", "writer" if "factor" in arrays else "shared"
    if kernel != settings.kernel:
        raise ValueError(f"{path}: has the {kernel} kernel; this model has {settings.kernel!r}. Fit with that kernel.")
    if kernel == "linear":
        return writer, LinearModel(_checked(path, arrays, bank)["direction"], about["intercept"]), bank
    if scaling != settings.scaling or (scaling == "shared" and about["gamma"] != settings.gamma):
        raise ValueError(
            f"{path}: has scaling={scaling!r} and gamma={about['gamma']:g}; this model has {settings.scaling!r} and "
            f"{settings.gamma}. Fit with those of the file."
        )
    fields = _checked(path, arrays, bank)
    peers, n_rows = fields.pop("peers"), len(bank.rows)
    if len(peers):
        # Back to the original scale, which with_rows expects. They are not negatives for writers who enroll here.
        bank = bank.with_rows(peers * bank.scale + bank.center, np.full(len(peers), None), active=False)
    rows = np.concatenate([fields["rows"], np.arange(n_rows, n_rows + len(peers), dtype=np.int32)])
    model = RbfModel(
        fields["references"],
        fields["reference_coef"],
        rows,
        np.concatenate([fields["coef"], fields["peer_coef"]]),
        about["intercept"],
        about["gamma"],
        fields.get("factor"),
    )
    return writer, model, bank


def _checked(path, arrays, bank):
    """Check shapes, types and values, so that a damaged file cannot give wrong scores or a late error."""
    n_features = bank.rows.shape[1]
    shapes = {"direction": (n_features,)}
    if "direction" not in arrays:
        sizes = {name: len(arrays.get(name, ())) for name in ("references", "rows", "peers")}
        shapes = {
            "references": (sizes["references"], n_features),
            "reference_coef": (sizes["references"],),
            "rows": (sizes["rows"],),
            "coef": (sizes["rows"],),
            "peers": (sizes["peers"], n_features),
            "peer_coef": (sizes["peers"],),
        }
        if "factor" in arrays:
            shapes["factor"] = (n_features,)
    found = {name: array.shape for name, array in arrays.items()}
    kinds = {array.dtype.kind for name, array in arrays.items() if name != "rows"}
    if found != shapes or kinds != {"f"} or arrays.get("rows", np.empty(0, np.int32)).dtype != np.int32:
        raise ValueError(f"{path}: a damaged model; its arrays are {found}, not {shapes}. Export it again.")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError(f"{path}: a damaged model; it has NaN or infinity. Export it again.")
    rows = arrays.get("rows", np.empty(0))
    if len(rows) and not 0 <= rows.min() <= rows.max() < bank.n_dev:
        raise ValueError(f"{path}: a damaged model; it refers to negatives that do not exist. Export it again.")
    return arrays
