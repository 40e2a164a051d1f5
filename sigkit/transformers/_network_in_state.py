"""The network of a featurizer in its pickled state: as arrays."""

from sigkit._utils import VersionInState
from sigkit.nets import network_state, restore_network


class NetworkInState(VersionInState):
    """Put arrays in the place of the module `network_` into the pickled state, and leave out the net of the training.

    A state of arrays and plain values can be saved by programs that do not know torch, and stays readable if classes
    of modules are renamed. The class comes before `BaseEstimator`; the estimator has `network_`, `architecture_` and
    `net_`.

    Examples
    --------
    >>> import copy
    >>> import numpy as np
    >>> from sigkit.training import SigNetTraining
    >>> from sigkit.transformers import SigNetFeaturizer
    >>> image = np.eye(40, dtype=np.uint8)[None] * 255
    >>> featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0)).fit(image)
    >>> sorted(featurizer.__getstate__()["network_"])
    ['arrays', 'channels_last']
    >>> copy.deepcopy(featurizer).network_.n_features
    16
    """

    def __getstate__(self):
        """Return the state with arrays."""
        state = super().__getstate__()
        if "network_" in state:
            state.update(network_=network_state(state["network_"]), net_=None)
        return state

    def __setstate__(self, state):
        """Set the state, and build the network."""
        if "network_" in state:
            state = {**state, "network_": restore_network(state["network_"], state["architecture_"])}
        super().__setstate__(state)
