"""Who is enrolled, and who may be."""

import numpy as np

from sigkit.utils import listing, same_id_type


class EnrolledChecks:
    """Refuse writers by what a set of enrolled ones knows.

    The set has `classes`, the enrolled writers sorted; `known`, a dict with what is kept of each; and `dev_writers`.
    """

    def check_enrolled(self, writers, what):
        """Refuse writers who are not enrolled.

        Parameters
        ----------
        writers : iterable of writer ids
            The writers.
        what : str
            What they are, for the message.

        Raises
        ------
        ValueError
            If one is not enrolled.
        """
        unknown = sorted(writer for writer in writers if writer not in self.known)
        if unknown:
            raise ValueError(
                f"{what}: {listing(map(repr, unknown))}. Enrolled are {listing(map(repr, self.classes.tolist()))}. "
                "Enroll them first."
            )

    def check_new(self, writers):
        """Refuse writers who cannot be enrolled here.

        Parameters
        ----------
        writers : ndarray of shape (n_writers,)
            The writers.

        Raises
        ------
        ValueError
            If one is a development writer, or their ids are of another type than those of the enrolled ones.
        """
        both = [writer for writer in np.unique(writers).tolist() if writer in self.dev_writers]
        if both:
            raise ValueError(f"Development writers cannot be enrolled: {listing(map(repr, both))}.")
        if len(self.classes) and not same_id_type(self.classes, writers):
            raise ValueError(
                f"Enrolled writers have ids like {self.classes.tolist()[0]!r}; found {writers.tolist()[0]!r}. "
                "Use one type."
            )


def joined(classes, new):
    """Add sorted ids to sorted ids, without sorting those of many writers again.

    Parameters
    ----------
    classes, new : ndarray of shape (n_writers,) and (n_new,)
        Ids, each once.

    Returns
    -------
    ndarray of shape (n_joined,)
        All ids, each once, sorted.
    """
    if classes.dtype.kind in "iu" and new.dtype.kind in "iu":
        classes, new = classes.astype(np.int64, copy=False), new.astype(np.int64, copy=False)
    if not len(classes):
        return new
    places = np.searchsorted(classes, new)
    lacking = classes[np.minimum(places, len(classes) - 1)] != new
    dtype = np.result_type(classes, new)
    return np.insert(classes.astype(dtype, copy=False), places[lacking], new[lacking])
