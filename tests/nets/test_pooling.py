"""Max-pooling that is fast to differentiate twice."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from sigkit.nets._pooling import max_pool


def draw(layout=torch.contiguous_format):
    maps = torch.randn(2, 3, 8, 11, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return maps.to(memory_format=layout).requires_grad_()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("window", [(3, 2), (2, 2), (5, 5), (3, 2, 1), ((3, 2), (2, 1), (1, 0))])
def test_first_and_second_derivatives(window, layout):
    maps = draw(layout)
    assert torch.equal(max_pool(maps, *window), F.max_pool2d(maps, *window))
    assert gradcheck(lambda maps: max_pool(maps, *window), maps, fast_mode=True)
    # The maximum is piecewise linear; the power before it has second derivatives.
    assert gradgradcheck(lambda maps: max_pool(maps.pow(3), *window), maps, fast_mode=True)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_derivatives_keep_the_layout_and_do_not_depend_on_the_maps(layout):
    maps = draw(layout)
    maxima = max_pool(maps, 3, 2)
    grad = torch.ones_like(maxima).requires_grad_()
    sent = torch.autograd.grad(maxima, maps, grad, create_graph=True)[0]
    back, nothing = torch.autograd.grad(sent, (grad, maps), torch.ones_like(maps), allow_unused=True)
    assert nothing is None
    for tensor in (maxima, sent, back):
        assert tensor.stride() == torch.empty_like(tensor, memory_format=layout).stride()


def test_functional_derivatives():
    def loss(pool, maps):
        return pool(maps[None], 3, 2).pow(2).sum()

    maps = draw().detach()
    found, expected = (
        torch.func.vmap(torch.func.grad(loss, argnums=1), in_dims=(None, 0))(pool, maps)
        for pool in (max_pool, F.max_pool2d)
    )
    torch.testing.assert_close(found, expected)
