"""Links from the HTML of estimators to the documentation."""

DOCUMENTATION = "https://sigkit.readthedocs.io/en/stable"
"""Where the documentation is published. `docs/conf.py` reads it too."""


class DocumentationLink:
    """Link the "?" in the HTML of an estimator to its page in the documentation of sigkit.

    scikit-learn makes these links from the attributes below; its own estimators are the default. The class comes before
    `BaseEstimator`.

    Examples
    --------
    >>> from sigkit.estimators import StrokeMatcher
    >>> "/generated/sigkit.estimators.StrokeMatcher.html" in StrokeMatcher()._repr_html_()
    True
    """

    _doc_link_module = "sigkit"
    _doc_link_template = f"{DOCUMENTATION}/generated/{{estimator_module}}.{{estimator_name}}.html"
