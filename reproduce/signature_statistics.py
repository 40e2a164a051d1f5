"""Statistics of preprocessed signatures: of images, of their variation, and of the separation of two corpora.

Used by `reproduce/compare_signatures.py`. An image is uint8 with a background of 0. For statistics of shape, ink is
what is brighter than a third of the image's full ink, the 95th percentile of the pixels above 0. So neither the gray of
the pen nor the soft edges that resizing leaves affect the shape. Specks are ignored. Lines are scikit-image's skeleton.
"""

import numpy as np
from features_table import HOG_KERNELS, hog, measure
from scipy import ndimage
from skimage.morphology import skeletonize
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NEIGHBORS = np.ones((3, 3), dtype=int)
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Offsets from a pixel to the half of its neighbors that follow it, so that each pair is visited once."""

LOGARITHMIC = ("stroke width", "ink share", "box height", "box width", "aspect", "line length", "ink density")
"""Statistics whose logarithms are used for the spread within writers."""


def measure_image(image):
    """Return all statistics of one image, by name; lengths are in pixels, angles in degrees."""
    full = np.percentile(image[image > 0], 95)
    n_pixels = image.size
    ink, n_pieces = without_specks(image > full / 3)
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    image, ink = (array[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] for array in (image, ink))
    line = skeletonize(ink)
    length = line_length(line)
    return {
        "stroke width": image.sum() / full / length,
        "ink share": 100 * ink.sum() / n_pixels,
        "mean gray": image[ink].mean(),
        "gray along line": image[line].std() / image[line].mean(),
        "box height": height,
        "box width": width,
        "aspect": width / height,
        "ink density": 100 * ink.sum() / (height * width),
        "line length": length,
        "pieces": n_pieces,
        "loops": count_loops(ink),
        **directions(image),
        **shape_of_line(line, length),
        **balance(ink),
    }


def without_specks(mask):
    """Return the mask without components of fewer than 3 pixels, and the number of remaining components."""
    labels, _ = ndimage.label(mask, NEIGHBORS)
    large = np.bincount(labels.ravel()) > 2
    large[0] = False
    return large[labels], np.count_nonzero(large)


def count_loops(ink):
    """Return the number of background components of at least 2 pixels that are enclosed by ink."""
    labels, _ = ndimage.label(np.pad(~ink, 1, constant_values=True))
    return np.count_nonzero(np.bincount(labels.ravel())[1:] > 1) - 1


def neighbors(line):
    """Return the number of neighbors on the line of each of its pixels."""
    return ndimage.convolve(line.astype(int), NEIGHBORS, mode="constant") - line


def pairs(line):
    """Yield, for each step, the pairs of pixels of the line that it connects, and its length."""
    padded = np.pad(line, 1)
    for step in STEPS:
        at = np.argwhere(padded & np.roll(padded, [-move for move in step], axis=(0, 1))) - 1
        yield at, at + step, np.hypot(*step)


def line_length(line):
    """Return the length of the line, without the diagonals of corners, whose two sides are counted."""
    length = 0.0
    for start, stop, step in pairs(line):
        if step > 1:
            corner = line[start[:, 0], stop[:, 1]] | line[stop[:, 0], start[:, 1]]
            start = start[~corner]
        length += step * len(start)
    return max(length, 1.0)


def directions(image):
    """Return statistics of the directions of lines, from image gradients: entropy, flatness and slant."""
    smooth = ndimage.gaussian_filter(np.pad(image, 3).astype(float), 1)
    down, right = np.gradient(smooth)
    weights = np.hypot(down, right)
    # A line is perpendicular to the gradient; its direction is the angle to the horizontal, 0 to 180.
    angles = np.degrees(np.arctan2(right, down)) % 180
    share, _ = np.histogram((angles + 7.5) % 180, bins=12, range=(0, 180), weights=weights)
    share = share / share.sum()
    double = np.sum(weights * np.exp(2j * np.radians(angles))) / weights.sum()
    return {
        "direction entropy": -np.sum(share * np.log(share + 1e-9)) / np.log(12),
        "flatness": double.real,
        "slant": double.imag,
    }


def shape_of_line(line, length):
    """Return the curvature, ends and crossings of the line, relative to its length."""
    around = neighbors(line)
    crossings, _ = ndimage.label(line & (around > 2), NEIGHBORS)
    return {
        "turning": turning(line & (around < 3)),
        "ends": 100 * np.count_nonzero(line & (around == 1)) / length,
        "crossings": 100 * crossings.max() / length,
    }


def turning(line):
    """Return the mean change of direction per pixel; the direction is estimated in a window of 7 x 7 pixels."""
    offsets = np.mgrid[-3:4, -3:4]
    mean = [ndimage.convolve(line.astype(float), kernel, mode="constant") for kernel in (offsets[0] ** 0, *offsets)]
    n, y, x = (array + 1e-9 for array in mean)
    yy, xx, xy = (
        ndimage.convolve(line.astype(float), kernel.astype(float), mode="constant")
        for kernel in (offsets[0] ** 2, offsets[1] ** 2, offsets[0] * offsets[1])
    )
    angle = 0.5 * np.arctan2(2 * (xy - x * y / n), (xx - x * x / n) - (yy - y * y / n))
    changes, steps = [], []
    for start, stop, step in pairs(line):
        change = angle[tuple(start.T)] - angle[tuple(stop.T)]
        changes.append(np.abs((change + np.pi / 2) % np.pi - np.pi / 2))
        steps.append(np.full(len(start), step))
    return np.degrees(np.concatenate(changes).sum() / max(np.concatenate(steps).sum(), 1.0))


def balance(ink):
    """Return the spread of the ink relative to the sides of its bounding box; 0.29 for a full box."""
    rows, columns = np.nonzero(ink)
    return {"spread of rows": rows.std() / ink.shape[0], "spread of columns": columns.std() / ink.shape[1]}


def measure_images(images):
    """Return the names of the statistics, and an array of shape (n_images, n_statistics)."""
    measured = [measure_image(image) for image in images]
    return list(measured[0]), np.array([list(row.values()) for row in measured], dtype=float)


def centered_hog(images):
    """Return the HOG features of images, with the bounding box of the ink shifted to the center."""
    shifted = np.zeros_like(images)
    for image, out in zip(images, shifted):
        inked = [np.flatnonzero((image > image.max() / 5).any(axis=axis)) for axis in (1, 0)]
        move = [(side - 1 - at[0] - at[-1]) // 2 for at, side in zip(inked, image.shape)]
        out[:] = np.roll(image, move, axis=(0, 1))
    return hog(shifted)


def spreads(names, values, target):
    """Return the spread of each statistic within writers, between writers, and from genuine signatures to forgeries.

    The first is the median standard deviation within writers. The others are relative to it: the standard deviation of
    the writers' means, the mean distance of a forgery from the writer's genuine mean, and the mean shift of forgeries.
    """
    values = np.array([np.log(column) if name in LOGARITHMIC else column for name, column in zip(names, values.T)]).T
    within, means, distance, shift = [], [], [], []
    for genuine, forged in by_writer(target):
        mean = values[genuine].mean(axis=0)
        within.append(values[genuine].std(axis=0, ddof=1))
        means.append(mean)
        distance.append(np.abs(values[forged] - mean).mean(axis=0))
        shift.append(values[forged].mean(axis=0) - mean)
    spread = np.median(within, axis=0)
    # A count can be the same in all signatures of most writers.
    spread = np.where(spread > 0, spread, np.mean(within, axis=0))
    between = np.std(means, axis=0, ddof=1)
    return spread, between / spread, np.mean(distance, axis=0) / spread, np.mean(shift, axis=0) / spread


def by_writer(target):
    """Yield the rows of genuine signatures and of forgeries of each writer with at least two and one of them."""
    writers, kinds = np.array(target[:, 0].tolist()), target[:, 1].astype(int)
    for writer in np.unique(writers):
        rows = [np.flatnonzero((writers == writer) & (kinds == kind)) for kind in (0, 1)]
        if len(rows[0]) > 1 and len(rows[1]):
            yield rows


def distances(features, target):
    """Return the median distances in feature space between kinds of signatures."""
    groups = list(by_writer(target))
    first, second = (features[[genuine[place] for genuine, _ in groups]] for place in (0, 1))
    parts = {
        "genuine, genuine of a writer": [pairwise(features[genuine]) for genuine, _ in groups],
        "genuine, forged of a writer": [all_distances(features[pair[0]], features[pair[1]]).ravel() for pair in groups],
        "forged, forged of a writer": [pairwise(features[forged]) for _, forged in groups],
        "genuine of different writers": [all_distances(first, second)[np.triu_indices(len(groups), 1)]],
    }
    return {name: np.median(np.concatenate(part)) for name, part in parts.items()}


def pairwise(rows):
    """Return the distances of all pairs of rows."""
    return all_distances(rows, rows)[np.triu_indices(len(rows), 1)]


def all_distances(one, other):
    """Return the matrix of distances between the rows of two arrays."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.sqrt(np.maximum(squares, 0))


def auc(one, other):
    """Return the AUC by which one number separates two corpora, in either direction: from 0.5 to 1."""
    value = roc_auc_score(np.repeat([0, 1], [len(one), len(other)]), np.concatenate([one, other]))
    return max(value, 1 - value)


def separation(model, one, other, writers, other_writers, seed):
    """Return the AUC of a classifier between two corpora, over 5 folds without common writers."""
    groups = np.array([f"1 {writer}" for writer in writers] + [f"2 {writer}" for writer in other_writers])
    truth = np.repeat([0, 1], [len(one), len(other)])
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    features = np.concatenate([one, other])
    return cross_val_score(model, features, truth, groups=groups, cv=folds, scoring="roc_auc").mean()


def classifier_of_statistics(seed):
    return RandomForestClassifier(300, min_samples_leaf=3, random_state=seed)


def classifier_of_hog():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))


def best_error_rates(images, target, n_splits):
    """Return the kernel with the lowest error rate, and the means and deviations of its error rates."""
    features = hog(images)
    tried = [(kernel, measure(features, images, target, n_splits, **kernel)) for kernel in HOG_KERNELS]
    return min(tried, key=lambda row: row[1][0][0])
