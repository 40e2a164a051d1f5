"""Tests that every attack has to pass."""

import numpy as np
import pytest
import torch

from sigkit.attacks import FGM, PGD, AnnealingAttack, Attacked, BoundaryAttack, CarliniWagnerL2

INF = float("inf")
ATTACKS = {
    "FGM L2": FGM(epsilon=600),
    "FGM Linf": FGM(epsilon=40.5, norm=INF),
    "PGD L2": PGD(epsilon=600),
    "PGD L2, random start": PGD(epsilon=600, random_start=True),
    "PGD Linf": PGD(epsilon=40, norm=INF, random_start=True),
    "Carlini-Wagner": CarliniWagnerL2(n_iterations=60),
    "boundary": BoundaryAttack(n_steps=200, n_noises=100),
    "annealing": AnnealingAttack(step_size=4.0),
}
pytestmark = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


@pytest.fixture
def threshold(scores):
    return float(np.median(scores))


@pytest.fixture(scope="module")
def results():
    return {}


@pytest.fixture
def attacked(attack, results, verifier, images, claims, goals, threshold):
    """The result of an attack, which runs once for all tests: do not change it."""
    if id(attack) not in results:
        results[id(attack)] = attack(verifier, images, claims, goal=goals, threshold=threshold)
    return results[id(attack)]


def test_success_and_scores_are_those_of_the_images(attacked, verifier, images, claims, goals, scores, threshold):
    assert isinstance(attacked, Attacked)
    after = verifier(torch.from_numpy(attacked.images).float(), claims).numpy()
    assert np.allclose(attacked.scores_before, scores, atol=1e-5)
    assert np.allclose(attacked.scores_after, after, atol=1e-5)
    wished = np.where(goals == "reject", after < threshold, after >= threshold)
    assert np.array_equal(attacked.success, wished & attacked.attempted)
    rmse = np.sqrt(np.square(attacked.images.astype(float) - images).mean((1, 2)))
    assert np.allclose(attacked.rmse, rmse, atol=1e-4)


def test_attacks_change_scores_in_the_right_direction(attacked, goals):
    moved = np.where(goals == "reject", -1, 1) * (attacked.scores_after - attacked.scores_before)
    assert attacked.attempted.all()
    assert attacked.success.mean() > 0.5
    assert (moved[attacked.success] > 0).all()
    assert moved.mean() > 0


def test_images_are_whole_gray_levels_in_their_range_and_ball(attack, attacked, images):
    assert attacked.images.dtype == np.uint8
    assert attacked.images.shape == images.shape
    changes = attacked.images.astype(float) - images
    if hasattr(attack, "epsilon"):
        lengths = np.abs(changes).max((1, 2)) if attack.norm == INF else np.sqrt(np.square(changes).sum((1, 2)))
        assert lengths.max() <= attack.epsilon


def test_float_images_stay_in_range_and_ball(attack, verifier, images, claims, goals, threshold):
    options = {name: value for name, value in vars(attack).items() if name != "eight_bit"}
    attacked = type(attack)(**options, eight_bit=False)(verifier, images, claims, goal=goals, threshold=threshold)
    assert attacked.images.dtype == np.float32
    assert attacked.images.min() >= 0
    assert attacked.images.max() <= 255
    changes = attacked.images - images
    assert (changes != np.rint(changes)).any()
    if hasattr(attack, "epsilon"):
        lengths = np.abs(changes).max((1, 2)) if attack.norm == INF else np.sqrt(np.square(changes).sum((1, 2)))
        assert lengths.max() <= attack.epsilon * (1 + 1e-5)
    assert attacked.success.mean() > 0.5


def test_claims_on_the_side_of_the_attacker_are_not_attacked(attack, verifier, images, claims, scores, threshold):
    attacked = attack(verifier, images, claims, goal="reject", threshold=threshold)
    rejected = scores < threshold
    assert np.array_equal(attacked.attempted, ~rejected)
    assert np.array_equal(attacked.images[rejected], images[rejected])
    assert not attacked.success[rejected].any()
    assert not attacked.rmse[rejected].any()


def test_nothing_to_attack(attack, verifier, images, claims):
    attacked = attack(verifier, images[:3], claims[:3], threshold=1e6)
    assert not attacked.attempted.any()
    assert np.array_equal(attacked.images, images[:3])


def test_a_score_on_the_threshold_is_accepted(attack, images):
    flat = attack(lambda images, claims: 0 * images.mean((1, 2)), images[:2], goal=["accept", "reject"], threshold=0)
    assert flat.attempted.tolist() == [False, True]
    assert not flat.success.any()


def test_the_same_seed_gives_the_same_images(attack, verifier, images, claims, goals, threshold):
    few = slice(0, 6)
    first, second = (attack(verifier, images[few], claims[few], goal=goals[few], threshold=threshold) for _ in range(2))
    assert np.array_equal(first.images, second.images)


def test_global_random_states_are_not_changed(attack, verifier, images, claims, goals):
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    expected = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    attack(verifier, images[:4], claims[:4], goal=goals[:4])
    assert np.array_equal(np.random.get_state()[1], expected[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), expected[1])


def test_tensors_and_one_threshold_per_claim(attack, verifier, images, claims, scores):
    one = attack(verifier, torch.from_numpy(images[:5]), claims[:5], threshold=scores[:5] - 0.1)
    assert one.attempted.all()
    assert np.allclose(one.scores_before, scores[:5], atol=1e-5)


def test_verifiers_may_ignore_claims(attack, images):
    attacked = attack(lambda images, claims: images.mean((1, 2)) - 60, images[:4], goal="reject")
    assert attacked.success.shape == (4,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((2, 3))}, r"shape \(n_samples, height, width\); found \(2, 3\)"),
        ({"images": np.full((2, 3, 4), 256.0)}, "found 256 to 256"),
        ({"images": np.full((2, 3, 4), np.nan)}, "found nan"),
        ({"images": np.full((2, 3, 4), 0.8)}, "found 0.8 to 0.8.*multiply values up to 1 by 255"),
        ({"claims": [0, 1, 1]}, r"claims must have one entry for each of 2 images; found shape \(3,\)"),
        ({"goal": "steal"}, "goal must be 'reject' or 'accept'; found 'steal'"),
        ({"goal": ["reject"]}, "goal must have one entry"),
        ({"threshold": np.nan}, "threshold must be finite; found nan"),
        ({"threshold": [0.0, np.inf]}, "threshold must be finite; found inf"),
    ],
)
def test_bad_input(attack, verifier, changes, message):
    given = {"images": np.zeros((2, 3, 4)), "claims": [0, 1]} | changes
    with pytest.raises(ValueError, match=message):
        attack(verifier, **given)


@pytest.mark.parametrize(("name", "value"), [("batch_size", 0), ("batch_size", 2.0), ("random_state", -1)])
def test_bad_parameters(attack, name, value):
    with pytest.raises(ValueError, match=f"{type(attack).__name__}: {name} must be an integer"):
        type(attack)(**{name: value})
