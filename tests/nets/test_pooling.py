"""Max-pooling that is differentiated twice."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from sigkit.nets._pooling import MaxPool


def draw(layout=torch.contiguous_format):
    maps = torch.randn(2, 3, 8, 11, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return maps.to(memory_format=layout).requires_grad_()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("window", [(3, 2), (2, 2), (5, 5)])
def test_first_and_second_derivatives(window, layout):
    maps, pool = draw(layout), MaxPool(*window)
    assert torch.equal(pool(maps), nn.MaxPool2d(*window)(maps))
    assert gradcheck(pool, maps, fast_mode=True)
    # Maxima are linear where their places stay: what comes before bends them.
    assert gradgradcheck(lambda maps: pool(maps.pow(3)), maps, fast_mode=True)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_derivatives_keep_the_layout_and_are_of_slopes_alone(layout):
    maps = draw(layout)
    maxima = MaxPool(3, 2)(maps)
    slope = torch.ones_like(maxima).requires_grad_()
    sent = torch.autograd.grad(maxima, maps, slope, create_graph=True)[0]
    back, nothing = torch.autograd.grad(sent, (slope, maps), torch.ones_like(maps), allow_unused=True)
    assert nothing is None
    for tensor in (maxima, sent, back):
        assert tensor.stride() == torch.empty_like(tensor, memory_format=layout).stride()


def test_functional_derivatives():
    def loss(pool, maps):
        return pool(maps[None]).pow(2).sum()

    maps = draw().detach()
    found, wanted = (
        torch.func.vmap(torch.func.grad(loss, argnums=1), in_dims=(None, 0))(pool, maps)
        for pool in (MaxPool(3, 2), nn.MaxPool2d(3, 2))
    )
    torch.testing.assert_close(found, wanted)


def test_without_gradients_it_is_that_of_torch():
    with torch.no_grad():
        assert torch.equal(MaxPool(3, 2)(draw()), nn.MaxPool2d(3, 2)(draw()))
