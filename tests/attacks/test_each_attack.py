"""Tests of single attacks."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from sigkit.attacks import (
    FGM,
    PGD,
    AnnealingAttack,
    ArtAttack,
    Attack,
    BoundaryAttack,
    CarliniWagnerL2,
    ascend,
    lengths,
    random_in_ball,
    steepest,
    within_ball,
)

INF = float("inf")


def mean(images, claims):
    return images.mean((1, 2))


def test_lengths_and_balls_in_small_examples():
    changes = torch.tensor([[[3.0, -4.0], [0.0, 12.0]]])
    assert lengths(changes).tolist() == [13.0]
    assert lengths(changes, INF).tolist() == [12.0]
    assert torch.allclose(within_ball(changes, 6.5), changes / 2)
    assert torch.equal(within_ball(changes, 13.0), changes)
    assert within_ball(changes, 5.0, INF).tolist() == [[[3.0, -4.0], [0.0, 5.0]]]
    assert torch.allclose(steepest(changes), changes / 13)
    assert steepest(changes, INF).tolist() == [[[1.0, -1.0], [0.0, 1.0]]]
    assert not steepest(torch.zeros(1, 2, 2)).any()


def test_ascend_returns_the_best_iterate():
    # Steps of 3 jump over the peak at 4: 0, 3, 6, 3, 6.
    found = ascend(lambda x: -(x - 4).abs().sum((1, 2)), torch.zeros(1, 1, 1), epsilon=9.0, step_size=3.0, n_steps=4)
    assert found.item() == 3.0


def test_fgm_is_one_step(verifier, images, claims, goals):
    few = slice(0, 10)
    pixels = torch.from_numpy(images[few]).float().requires_grad_()
    [gradients] = torch.autograd.grad(verifier(pixels, claims[few]).sum(), pixels)
    signs = np.where(goals[few] == "accept", 1.0, -1.0)[:, None, None]
    expected = images[few] + 90 * signs * (gradients / gradients.square().sum((1, 2), keepdim=True).sqrt()).numpy()
    options = {"goal": goals[few], "threshold": np.where(goals[few] == "accept", 99.0, -99.0)}
    found = FGM(epsilon=90, eight_bit=False)(verifier, images[few], claims[few], **options)
    assert np.allclose(found.images, expected.clip(0, 255), atol=1e-3)
    same = PGD(epsilon=90, n_steps=1, step_size=90, eight_bit=False)(verifier, images[few], claims[few], **options)
    assert np.allclose(same.images, found.images, atol=1e-3)


def test_more_steps_reach_further(verifier, images, claims):
    after = [
        PGD(epsilon=800, n_steps=n_steps)(verifier, images, claims, threshold=-99).scores_after.mean()
        for n_steps in (1, 20)
    ]
    assert after[0] > after[1]


def test_rounding_uses_the_ball(verifier, images, claims):
    options = {"epsilon": 30.0, "n_steps": 20}
    exact, whole = (
        PGD(**options, eight_bit=eight_bit)(verifier, images, claims, threshold=-99) for eight_bit in (False, True)
    )
    # In whole numbers, for the root of a mean times the root of a count can be a last digit above the ball.
    squares = np.square(whole.images.astype(int) - images).sum(axis=(1, 2))
    assert squares.max() <= 30**2
    assert np.median(np.sqrt(squares)) > 28
    fallen = [(each.scores_before - each.scores_after).mean() for each in (exact, whole)]
    assert fallen[1] > 0.95 * fallen[0]


def test_random_starts_are_in_the_ball():
    images, generator = torch.full((200, 3, 4), 128.0), torch.Generator().manual_seed(0)
    for norm in (2, INF):
        far = lengths(random_in_ball(images, 8.0, norm, generator=generator) - images, norm)
        assert 6 < far.mean() < far.max() <= 8
    assert random_in_ball(images, 500.0, generator=generator).max() <= 255


def test_rounded_images_are_in_the_ball(images):
    # With an epsilon below half a level, no change is left after rounding.
    assert not PGD(epsilon=0.4, norm=INF)(mean, images[:2], threshold=-99).rmse.any()
    small = PGD(epsilon=3.0)(mean, images[:2], threshold=-99)
    assert (small.rmse * math.sqrt(images[0].size) <= 3).all()


@pytest.mark.parametrize("row", range(4))
def test_carlini_wagner_finds_the_smallest_perturbation(verifier, images, claims, row):
    """Compare with a solver of constrained optimization problems."""
    images = images[:, :4, :6]
    verifier.first = verifier.first[:24]
    start, claim = images[row].astype(float).ravel(), claims[row : row + 1]

    def score(pixels):
        return verifier(torch.from_numpy(pixels.reshape(1, 4, 6)).float(), claim)

    before = score(start).item()
    threshold = before - 0.2

    def margin(pixels):
        return threshold - score(pixels).item()

    def value_and_grad(pixels):
        pixels = torch.from_numpy(pixels).float().requires_grad_()
        return -torch.autograd.grad(verifier(pixels.view(1, 4, 6), claim).sum(), pixels)[0].numpy().astype(float)

    best = minimize(
        lambda pixels: np.square(pixels - start).sum() / 255**2,
        start,
        jac=lambda pixels: 2 * (pixels - start) / 255**2,
        bounds=[(0, 255)] * len(start),
        constraints={"type": "ineq", "fun": margin, "jac": value_and_grad},
        method="SLSQP",
    )
    assert best.success
    attack = CarliniWagnerL2(eight_bit=False, n_search_steps=12, n_iterations=400)
    found = attack(verifier, images[row : row + 1], claim, threshold=threshold)
    assert found.success.all()
    assert found.rmse[0] == pytest.approx(np.sqrt(np.square(best.x - start).mean()), rel=0.02)


def test_carlini_wagner_confidence(verifier, images, claims):
    scores = verifier(torch.from_numpy(images[:8]).float(), claims[:8]).numpy()
    found = [
        CarliniWagnerL2(confidence=confidence, eight_bit=False)(
            verifier, images[:8], claims[:8], threshold=scores - 0.1
        )
        for confidence in (0.0, 0.3)
    ]
    assert all(each.success.all() for each in found)
    assert (found[1].scores_after <= scores - 0.4 + 1e-4).all()
    assert (found[1].rmse > found[0].rmse).all()


def test_carlini_wagner_still_succeeds_in_whole_gray_levels(verifier, images, claims):
    """Perturbations of less than a level, which rounding to the nearest level undoes."""
    images, claims = images[:30], claims[:30]
    scores = verifier(torch.from_numpy(images).float(), claims).numpy()
    options = {"threshold": scores - 1e-3}
    found = CarliniWagnerL2(eight_bit=False)(verifier, images, claims, **options)
    rounded = verifier(torch.from_numpy(np.rint(found.images)), claims).numpy()
    assert found.success.all()
    assert (rounded < options["threshold"]).mean() < 0.5
    whole = CarliniWagnerL2()(verifier, images, claims, **options)
    assert whole.images.dtype == np.uint8
    assert whole.success.all()


def test_carlini_wagner_returns_the_original_if_it_fails(images):
    found = CarliniWagnerL2(n_search_steps=2, n_iterations=5)(mean, images[:3], threshold=-1.0)
    assert found.attempted.all()
    assert not found.success.any()
    assert np.array_equal(found.images, images[:3])


def test_abort_early_needs_fewer_scores_for_about_the_same_result(verifier, images, claims, goals, scores):
    few = slice(0, 30)
    n_scored = []

    def counting(images, claims):
        n_scored.append(len(images))
        return verifier(images, claims)

    rmse, totals = [], []
    for abort_early in (False, True):
        n_scored.clear()
        attack = CarliniWagnerL2(n_iterations=100, abort_early=abort_early, eight_bit=False)
        attacked = attack(counting, images[few], claims[few], goal=goals[few], threshold=float(np.median(scores)))
        rmse.append(attacked.rmse)
        totals.append(sum(n_scored))
    assert totals[1] < totals[0]
    assert np.median(rmse[1]) == pytest.approx(np.median(rmse[0]), rel=0.05)


def test_results_do_not_depend_on_the_batch(verifier, images, claims, goals, scores):
    options = {"goal": goals[:9], "threshold": float(np.median(scores))}
    all_at_once, one_by_one = (
        CarliniWagnerL2(n_iterations=60, batch_size=size)(verifier, images[:9], claims[:9], **options)
        for size in (9, 1)
    )
    assert np.allclose(all_at_once.rmse, one_by_one.rmse, rtol=0.02)


def test_boundary_attack_uses_its_starts(images):
    """This verifier accepts bright images, but never noise."""

    def bright(images, claims):
        return images.mean((1, 2)) - 200

    options = {"goal": "accept"}
    without = BoundaryAttack(n_steps=20)(bright, images[:3], ["ada", "bob", "ada"], **options)
    assert not without.success.any()
    assert np.array_equal(without.images, images[:3])
    starts = {"ada": np.full(images.shape[1:], 255, dtype=np.uint8)}
    attacked = BoundaryAttack(starts=starts, n_steps=200)(bright, images[:3], ["ada", "bob", "ada"], **options)
    assert attacked.success.tolist() == [True, False, True]
    distance = np.sqrt(np.square(255.0 - images[:3]).mean((1, 2)))
    assert (attacked.rmse < distance)[[0, 2]].all()


def test_boundary_attack_comes_closer_with_more_steps(verifier, images, claims, goals, scores):
    few = slice(0, 20)
    rmse = []
    for n_steps in (10, 100, 1000):
        attack = BoundaryAttack(n_steps=n_steps, n_noises=200)
        attacked = attack(verifier, images[few], claims[few], goal=goals[few], threshold=float(np.median(scores)))
        rmse.append(np.median(attacked.rmse[attacked.success]))
    assert rmse[0] > rmse[1] > rmse[2]
    least = CarliniWagnerL2()(verifier, images[few], claims[few], goal=goals[few], threshold=float(np.median(scores)))
    assert rmse[2] > 0.98 * np.median(least.rmse)


def test_boundary_attack_only_uses_decisions(verifier, images, claims):
    """Another score with the same decisions gives the same images."""
    few = slice(0, 6)
    threshold = verifier(torch.from_numpy(images[few]).float(), claims[few]).numpy() - 0.2

    def decides(images, asked):
        return torch.where(verifier(images, asked) >= torch.from_numpy(threshold)[: len(images)], 7.0, -3.0)

    attack = BoundaryAttack(n_steps=30, n_noises=50)
    scores = attack(verifier, images[few], claims[few], threshold=threshold)
    decisions = attack(decides, images[few], claims[few], threshold=0)
    assert scores.success.all()
    assert np.array_equal(scores.images, decisions.images)


def test_boundary_attack_refuses_a_start_of_another_size(images):
    with pytest.raises(ValueError, match=r"starts: the image of the claim 'ada' has shape \(2, 2\)"):
        BoundaryAttack(starts={"ada": np.zeros((2, 2))})(mean, images[:1], ["ada"], threshold=0)


def test_annealing_stops_when_it_succeeds(images):
    n_scored = []

    def counting(images, claims):
        n_scored.append(len(images))
        return -images.std((1, 2))

    options = {"goal": "reject", "threshold": counting(torch.from_numpy(images[:2]).float(), None).numpy() - 0.01}
    n_scored.clear()
    assert AnnealingAttack(step_size=20.0)(counting, images[:2], **options).success.all()
    assert len(n_scored) < 100


def test_annealing_at_low_temperature_only_improves(images):
    scores = []

    def keeping(images, claims):
        scores.append(images.mean((1, 2)))
        return scores[-1]

    attack = AnnealingAttack(hottest=1e-9, coldest=1e-9, n_steps=50, norm_weight=0.0, step_size=3.0)
    found = attack(keeping, images[:1], goal="reject", threshold=-1.0)
    assert found.scores_after[0] == pytest.approx(min(score.item() for score in scores), abs=1e-3)


@pytest.mark.parametrize("attack", [FGM(), PGD(), CarliniWagnerL2(), ArtAttack(make=print)])
def test_gradient_attacks_need_gradients(attack, images):
    def black_box(images, claims):
        return images.mean((1, 2))

    black_box.is_differentiable = False
    black_box.what = "a verifier with the step 'clbp'"
    with pytest.raises(ValueError, match=f"{type(attack).__name__} needs gradients, which a verifier with the step"):
        attack(black_box, images[:1])


def test_verifier_without_gradient(images):
    with pytest.raises(ValueError, match="no gradient"):
        FGM()(lambda images, claims: images.detach().mean((1, 2)), images[:1])


@pytest.mark.parametrize(
    ("attack", "settings", "message"),
    [
        (FGM, {"epsilon": 0}, "FGM: epsilon must be a number above 0; found 0"),
        (FGM, {"epsilon": math.nan}, "epsilon must be a number above 0; found nan"),
        (PGD, {"norm": 1}, "norm must be 2 or inf; found 1"),
        (PGD, {"n_steps": 0}, "n_steps must be an integer of at least 1"),
        (PGD, {"step_size": -1.0}, "step_size must be a number above 0"),
        (CarliniWagnerL2, {"confidence": -0.1}, "confidence must be a number of at least 0"),
        (CarliniWagnerL2, {"learning_rate": "fast"}, "learning_rate must be a number above 0; found 'fast'"),
        (BoundaryAttack, {"n_noises": -1}, "n_noises must be an integer of at least 0"),
        (AnnealingAttack, {"coldest": 0}, "coldest must be a number above 0"),
    ],
)
def test_bad_parameters(attack, settings, message):
    with pytest.raises(ValueError, match=message):
        attack(**settings)


def test_scores_must_be_finite(images):
    with pytest.raises(ValueError, match="The verifier returns nan as the score of the claim 'bob'"):
        FGM()(lambda images, claims: images.mean((1, 2)) / torch.tensor([1.0, 0.0]) * 0, images[:2] * 0, ["ada", "bob"])


def test_gradients_that_are_not_finite_count_as_zero():
    blank = np.zeros((1, 3, 4), dtype=np.uint8)
    attacked = FGM()(lambda images, claims: 1 - images.mean((1, 2)).sqrt(), blank)
    assert not attacked.rmse.any()
    assert not attacked.success.any()


def test_images_are_clipped_to_the_range_of_pixels(images):
    class Far(Attack):
        def _search(self, claims, images, generator):
            return images + 300

    attacked = Far()(lambda images, claims: -images.mean((1, 2)), images[:2], threshold=-250.0)
    assert (attacked.images == 255).all()
    assert attacked.scores_after.tolist() == [-255, -255]


def test_progress_counts_batches(images, capsys):
    FGM(batch_size=20)(mean, images, threshold=0, verbose=1)
    assert "5 of 5" in capsys.readouterr().err


def test_custom_attack(images):
    class Darker(Attack):
        def _search(self, claims, images, generator):
            return images / 2

    attacked = Darker()(mean, images[:2], threshold=1.0)
    assert np.array_equal(attacked.images, np.rint(images[:2] / 2))
