"""The version of sigkit in pickled estimators."""

import sigkit
from sigkit._utils._documentation_link import DocumentationLink
from sigkit._utils._warn import warn

VERSION_KEY = "_sigkit_version"


class VersionInState(DocumentationLink):
    """Put the version of sigkit into the pickled state of an estimator, and warn if another version loads it.

    scikit-learn does this for its own estimators only. The class comes before `BaseEstimator`.

    Examples
    --------
    >>> import pickle
    >>> from sigkit.estimators import StrokeMatcher
    >>> b"_sigkit_version" in pickle.dumps(StrokeMatcher())
    True
    """

    def __getstate__(self):
        """Return the state with the version."""
        return {**super().__getstate__(), VERSION_KEY: sigkit.__version__}

    def __setstate__(self, state):
        """Set the state, and warn if the version is another one."""
        state = dict(state)
        version = state.pop(VERSION_KEY, "unknown")
        compare_version(type(self).__name__, version)
        super().__setstate__(state)


def compare_version(what, version):
    """Warn if something was saved by another version of sigkit.

    Parameters
    ----------
    what : str
        What was saved, for the message.
    version : str
        The version that saved it.

    Examples
    --------
    >>> import sigkit
    >>> from sigkit._utils import compare_version
    >>> compare_version("office.safetensors", sigkit.__version__)
    """
    if version != sigkit.__version__:
        warn(
            f"{what} was saved by sigkit {version} and is loaded by {sigkit.__version__}. Results may be wrong, or it "
            "may fail: fit it again."
        )
