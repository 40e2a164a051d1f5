"""Checks of the parameters of a campaign, before anything is fitted."""

from numbers import Integral

from sigkit._utils import listing, named_steps, preprocesses_scans
from sigkit.attacks import Attack

KNOWLEDGE = ("perfect", "limited", "limited-features")


def check_parameters(campaign):
    """Check the parameters of a campaign.

    Parameters
    ----------
    campaign : AttackCampaign
        The campaign.

    Raises
    ------
    ValueError
        If a parameter is not valid.
    """
    for name in ("systems", "attacks"):
        _check_dict(name, getattr(campaign, name))
    for name, attack in campaign.attacks.items():
        if not isinstance(attack, Attack):
            raise ValueError(f"attacks: {name!r} must be a sigkit.attacks.Attack; found {attack!r}.")
    _check_defences(campaign.defences or {})
    if isinstance(campaign.knowledge, str):
        raise ValueError(f"knowledge must be a list of strings, such as [{campaign.knowledge!r}]; found a string.")
    unknown = sorted(set(campaign.knowledge) - set(KNOWLEDGE))
    if unknown:
        raise ValueError(f"knowledge must be of {listing(map(repr, KNOWLEDGE))}; found {unknown[0]!r}.")
    other_features = campaign.other_features or {}
    for name, system in [*campaign.systems.items(), *other_features.items()]:
        if any(preprocesses_scans(step) for _, step in named_steps(name, system)):
            raise ValueError(
                f"{name!r} has a SignaturePreprocessor, but a campaign attacks preprocessed images: leave out this "
                "step, and transform the scans beforehand."
            )
    unknown = sorted(set(other_features) - set(campaign.systems))
    if unknown:
        raise ValueError(f"other_features names {listing(map(repr, unknown))}, which is not the name of a system.")
    if not isinstance(campaign.random_state, Integral):
        raise ValueError(
            f"random_state must be an integer, so that draws can be repeated; found {campaign.random_state!r}."
        )


def _check_dict(name, value):
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{name} must be a dict with at least one entry; found {value!r}.")
    if not all(isinstance(key, str) for key in value):
        raise ValueError(f"{name} must have strings as names; found {list(value)!r}.")


def _check_defences(defences):
    if not isinstance(defences, dict):
        raise ValueError(f"defences must be a dict of transformers by name; found {defences!r}.")
    if "none" in defences:
        raise ValueError("defences: 'none' stands for no defence; choose another name.")
