"""Parameter objects: settings of a training as nested parameters of an estimator."""

import copy
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import validate_parameter_constraints

from sigkit._utils import DocumentationLink, listing

parameters = partial(dataclass, eq=False, repr=False)
"""Decorator of a parameter object: the constructor comes from its fields, comparison and repr from scikit-learn."""


def param(default, *constraints):
    """Declare a parameter, its default and its constraints in one line.

    Parameters
    ----------
    default : object
        The default; an immutable value.
    *constraints : object
        What scikit-learn's `_parameter_constraints` lists for a parameter.

    Returns
    -------
    dataclasses.Field
        The field.
    """
    return field(default=default, metadata={"constraints": list(constraints)})


class Parameters(DocumentationLink, BaseEstimator):
    """Base of the parameter objects.

    `clone`, `get_params`, repr and pickling are those of scikit-learn's estimators, so that a grid search reaches a
    nested parameter by its path, such as `features__training__lr`.
    """

    def set_params(self, **params):
        """Set parameters, nested ones by their path, also those of objects that are given by a name or None.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        Parameters
            This object.

        Raises
        ------
        ValueError
            If there is no such parameter, or if a nested parameter is set although its object has no parameters.
        """
        super().set_params(**{name: value for name, value in params.items() if "__" not in name})
        nested = {path: value for path, value in params.items() if "__" in path}
        for path in nested:
            name = path.partition("__")[0]
            value = getattr(self, name, None)
            if not hasattr(self, name):
                continue
            if not hasattr(value, "set_params"):
                value = getattr(self.resolve(), name)
            if not hasattr(value, "set_params"):
                raise ValueError(
                    f"{path}: {name}={getattr(self, name)!r} has no parameters. Set {name} to an object that has."
                )
            # A copy: other objects may have the same one.
            setattr(self, name, clone(value))
        return super().set_params(**nested)

    def validate(self):
        """Check all parameters, those of nested objects included.

        Raises
        ------
        ValueError
            If a parameter is outside its range; the parameter is named.
        """
        # A subclass may have a constructor of its own, and check what it takes.
        declared = fields(self) if is_dataclass(self) else ()
        constraints = {each.name: each.metadata["constraints"] for each in declared if "constraints" in each.metadata}
        values = {name: value for name, value in self.get_params(deep=False).items() if name in constraints}
        validate_parameter_constraints(constraints, values, type(self).__name__)
        for value in self.get_params(deep=False).values():
            if isinstance(value, Parameters):
                value.validate()

    def resolve(self):
        """Replace names and None by parameter objects, and numpy numbers by Python numbers.

        Returns
        -------
        Parameters
            A shallow copy.
        """
        resolved = copy.copy(self)
        for name, value in self.get_params(deep=False).items():
            if isinstance(value, np.generic):
                # torch takes no numpy integers, and JSON knows neither.
                setattr(resolved, name, value.item())
        return resolved


def look_up(name, value, registry, base):
    """Return the parameter object of a registered name, or the object itself.

    Parameters
    ----------
    name : str
        The parameter, for the message.
    value : str or Parameters
        A name in the registry, or an object.
    registry : dict of str to type
        Classes by name.
    base : type
        Base class of the objects.

    Returns
    -------
    Parameters
        The object, its own names resolved.

    Raises
    ------
    ValueError
        If there is no such name.
    """
    if isinstance(value, base):
        return value.resolve()
    if value not in registry:
        raise ValueError(
            f"{name} must be one of {listing(map(repr, registry), limit=20)}, or an instance of {base.__name__}; "
            f"found {value!r}."
        )
    return registry[value]()
