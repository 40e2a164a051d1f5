"""Augmentation by random changes of shape, pen and ink, computed for whole batches."""

import math
from dataclasses import KW_ONLY
from numbers import Real

import torch
from sklearn.utils._param_validation import Interval
from torch.nn import functional as F

from sigkit.training._parameters import Parameters, param, parameters

_SHARE, _FACTOR = Interval(Real, 0, 1, closed="both"), Interval(Real, 1, None, closed="left")
_STRENGTH = Interval(Real, 0, None, closed="left")


@parameters
class Distortion(Parameters):
    """Augmentation by random changes of shape, pen and ink, so that features transfer to other pens and scanners.

    Each parameter bounds the range from which a value is drawn for each image; 0 (1 for factors) switches a distortion
    off. Whole batches are changed at once: `torchvision.transforms.v2` draws once per call, and is tens of times slower
    when it is called once per image (``benchmarks/bench_augmentation.py``).

    Parameters
    ----------
    rotation : float, default=10.0
        Maximum rotation to either side, in degrees.
    scaling, aspect : float, default=1.2, 1.15
        Maximum factors of the size, and of the ratio of width to height.
    shear : float, default=0.18
        Maximum shear to either side, in columns per row.
    shift : float, default=10.0
        Maximum horizontal shift in pixels; the vertical shift is half of it.
    elastic : float, default=1.5
        Standard deviation in pixels of a smooth displacement.
    thicken, thin : float, default=0.8, 0.5
        Maximum share of one pixel by which strokes become wider or narrower on each side.
    fade : float, default=0.6
        Maximum share of the ink that is lost over the whole signature. Contrast and unevenness of the ink vary in
        proportion.
    blur : float, default=0.7
        Maximum weight of the mean over 3 x 3 pixels in each pixel.
    noise : float, default=0.17
        Maximum relative change of each pixel.
    erase : float, default=0.3
        Probability that a patch of up to 24 x 28 pixels is erased.

    Examples
    --------
    >>> import torch
    >>> from sigkit.training import Distortion
    >>> images = torch.randint(256, (2, 1, 170, 242), dtype=torch.uint8)
    >>> varied = Distortion(rotation=15).apply(images, (150, 220), torch.Generator().manual_seed(0))
    >>> varied.shape, varied.dtype
    (torch.Size([2, 1, 150, 220]), torch.float32)
    """

    _: KW_ONLY
    rotation: float = param(10.0, _STRENGTH)
    scaling: float = param(1.2, _FACTOR)
    aspect: float = param(1.15, _FACTOR)
    shear: float = param(0.18, _STRENGTH)
    shift: float = param(10.0, _STRENGTH)
    elastic: float = param(1.5, _STRENGTH)
    thicken: float = param(0.8, _SHARE)
    thin: float = param(0.5, _SHARE)
    fade: float = param(0.6, _SHARE)
    blur: float = param(0.7, _SHARE)
    noise: float = param(0.17, _SHARE)
    erase: float = param(0.3, _SHARE)

    def apply(self, images, size, generator):
        """Distort a batch of images.

        Parameters
        ----------
        images : Tensor of shape (n_samples, n_channels, height, width), dtype uint8
            Preprocessed signatures, background 0 and ink up to 255; all channels of an image are distorted in the same
            way.
        size : tuple of (int, int) or None
            Rows and columns of the result, the center of the distorted images; None keeps those of the images.
        generator : torch.Generator
            Source of randomness, on the CPU.

        Returns
        -------
        Tensor of shape (n_samples, n_channels, size[0], size[1]), dtype float32
            Distorted signatures, background 0 and ink up to 1.
        """
        self.validate()
        draw = _Draws(len(images), images.device, generator)
        images = self._change_width(images, draw)
        images = F.grid_sample(
            images, self._move(images.shape[2:], size or images.shape[2:], draw), align_corners=False
        )
        images = self._change_ink(images, draw)
        return self._erase(images, draw).clamp_(0, 1)

    def _change_width(self, images, draw):
        ink = images.float() / 255
        if not self.thicken and not self.thin:
            return ink
        change = draw.between(-self.thin, self.thicken, 1, 1, 1)
        for chosen, extreme in ((change > 0, torch.maximum), (change < 0, torch.minimum)):
            chosen = chosen.flatten().nonzero()[:, 0]
            changed = _extreme_of_nine(images[chosen], extreme).float() / 255
            ink[chosen] = torch.lerp(ink[chosen], changed, change[chosen].abs())
        return ink

    def _move(self, source, target, draw):
        """Compute the sampling grid of an affine map and a smooth displacement, for `grid_sample`."""
        angle = draw.between(-1, 1) * math.radians(self.rotation)
        scale, aspect = draw.factor(self.scaling), draw.factor(self.aspect)
        shear = draw.between(-self.shear, self.shear)
        across, down = draw.between(-self.shift, self.shift), draw.between(-self.shift, self.shift) / 2
        cosine, sine = torch.cos(angle), torch.sin(angle)
        # grid_sample looks up, for each pixel of the result, a point of the source: the map is the inverse of the
        # distortion, from target to source coordinates, both from -1 to 1.
        wide, high = 1 / (scale * aspect), aspect / scale
        matrix = torch.stack(
            [
                torch.stack([wide * cosine * target[1], (shear - wide * sine) * target[0], 2 * across], 1) / source[1],
                torch.stack([high * sine * target[1], high * cosine * target[0], 2 * down], 1) / source[0],
            ],
            1,
        )
        steps = (torch.arange(1, 2 * length, 2, device=angle.device) / length - 1 for length in target)
        y, x = torch.meshgrid(*steps, indexing="ij")
        per_x, per_y, constant = matrix[..., None, None].unbind(2)
        grid = per_x * x + (per_y * y + constant)
        if self.elastic:
            # Displacements at the nodes of a coarse grid, interpolated: neighboring pixels move alike.
            nodes = self.elastic * draw.normal(2, 3 + target[0] // 24, 5 + target[1] // 24)
            nodes *= torch.tensor([2 / source[1], 2 / source[0]], device=nodes.device)[:, None, None]
            grid += F.interpolate(nodes, size=target, mode="bilinear", align_corners=True)
        return grid.permute(0, 2, 3, 1)

    def _change_ink(self, images, draw):
        if self.fade:
            # At the default of 0.6 the ranges of contrast and unevenness are those written out below.
            strength = self.fade / 0.6
            curve = strength * draw.between(-0.5, 0.8, 1, 1, 1)
            images = images * (1 - curve * (1 - images))
            clouds = F.interpolate(draw.between(0, 1, 1, 5, 9), size=images.shape[2:], mode="bilinear")
            level = draw.between(1 - self.fade, 1, 1, 1, 1)
            images = images * level * (1 - strength * draw.between(0, 0.5, 1, 1, 1) * clouds)
        if self.blur:
            images = torch.lerp(images, _mean_of_nine(images), draw.between(0, self.blur, 1, 1, 1))
        if self.noise:
            images = images * (1 + self.noise * draw.pixels(images.shape))
        return images

    def _erase(self, images, draw):
        if not self.erase:
            return images
        inside = (draw.between(0, 1) < self.erase)[:, None]
        bands = []
        for side, least, most in zip(images.shape[2:], (4, 4), (12, 14)):
            center, half = (side * draw.between(0.2, 0.8))[:, None], draw.between(least, most)[:, None]
            bands.append((torch.arange(side, device=images.device) - center).abs() < half)
        return images.masked_fill((inside & bands[0])[:, None, :, None] & bands[1][:, None, None], 0)


def _extreme_of_nine(images, extreme):
    """Compute the maximum or minimum over 3 x 3 pixels; max-pooling does the same, but several times slower."""
    for axis in (2, 3):
        length = images.shape[axis] - 1
        pairs = extreme(images.narrow(axis, 0, length), images.narrow(axis, 1, length))
        ends = images.narrow(axis, 0, 1), images.narrow(axis, length, 1)
        images = extreme(torch.cat([ends[0], pairs], axis), torch.cat([pairs, ends[1]], axis))
    return images


def _mean_of_nine(images):
    """Compute the mean over 3 x 3 pixels, with zeros beyond the edges."""
    for axis in (2, 3):
        length = images.shape[axis] - 1
        total = images.clone()
        total.narrow(axis, 1, length).add_(images.narrow(axis, 0, length))
        total.narrow(axis, 0, length).add_(images.narrow(axis, 1, length))
        images = total
    return images / 9


class _Draws:
    """Random numbers for each image of a batch, drawn on the CPU so that they are the same on every device."""

    def __init__(self, n_samples, device, generator):
        self.n_samples, self.device, self.generator = n_samples, device, generator

    def between(self, low, high, *shape):
        drawn = torch.rand(self.n_samples, *shape, generator=self.generator)
        return (low + (high - low) * drawn).to(self.device)

    def factor(self, greatest):
        return torch.exp(self.between(-1, 1) * math.log(greatest))

    def normal(self, *shape):
        return torch.randn(self.n_samples, *shape, generator=self.generator).to(self.device)

    def pixels(self, shape):
        """Draw a number from -1 to 1 per pixel on the device of the images; these differ between kinds of devices."""
        seed = int(torch.randint(2**31, (1,), generator=self.generator))
        generator = torch.Generator(self.device).manual_seed(seed)
        return torch.rand(shape, generator=generator, device=self.device) * 2 - 1
