"""Random operators draw from generators of sigkit, and give the numbers of PyTorch's global generator."""

import threading

import pytest
import torch
from torch import distributions, nn
from torch.nn import functional as F
from torch.utils import _python_dispatch
from torch.utils.checkpoint import checkpoint
from torchvision.ops import StochasticDepth

from sigkit.nets import OwnDraws, build_network, fixed_draws, may_draw

MAPS = torch.linspace(0.1, 1, 4 * 6 * 8 * 8).reshape(4, 6, 8, 8)
ROWS = MAPS.flatten(1)[:, :6]
QUERIES = MAPS.flatten(2)
DRAWING = {
    "rand": lambda: torch.rand(5),
    "rand of a type and layout": lambda: torch.rand(2, 3, dtype=torch.float64, out=torch.empty(2, 3).double()),
    "randn": lambda: torch.randn(5),
    "randint": lambda: torch.randint(2, 9, (5,)),
    "randint from 0": lambda: torch.randint(9, (5,)),
    "randperm": lambda: torch.randperm(9),
    "normal": lambda: torch.normal(ROWS, 2.0),
    "normal of a size": lambda: torch.normal(0.0, 2.0, (3,)),
    "like": lambda: torch.stack([torch.rand_like(ROWS), torch.randn_like(ROWS), torch.randint_like(ROWS, 9)]),
    "bernoulli": lambda: torch.bernoulli(ROWS),
    "multinomial": lambda: torch.multinomial(ROWS, 3),
    "poisson": lambda: torch.poisson(ROWS),
    "in place": lambda: torch.empty(5).uniform_().exponential_().cauchy_().log_normal_().geometric_(0.5).random_(7),
    "distributions": lambda: torch.cat(
        [
            distributions.Gamma(2.0, 1.0).sample((3,)),
            distributions.Dirichlet(torch.ones(3)).sample(),
            distributions.Categorical(torch.ones(3)).sample((3,)),
            distributions.Binomial(9, torch.tensor([0.5])).sample(),
        ]
    ),
    "truncated": lambda: nn.init.trunc_normal_(torch.empty(5)),
    "orthogonal": lambda: nn.init.orthogonal_(torch.empty(3, 3)),
    "layer": lambda: nn.Linear(3, 2).weight.detach(),
    "dropout": lambda: F.dropout(ROWS),
    "dropout in place": lambda: F.dropout(ROWS.clone(), inplace=True),
    "dropout of maps": lambda: F.dropout2d(MAPS),
    "alpha dropout": lambda: F.feature_alpha_dropout(F.alpha_dropout(MAPS, training=True), training=True),
    "rrelu": lambda: F.rrelu(ROWS - 0.5, training=True),
    "gumbel": lambda: F.gumbel_softmax(ROWS),
    "fractional pooling": lambda: nn.FractionalMaxPool2d(2, output_size=17)(torch.arange(900.0).reshape(1, 30, 30)),
    "stochastic depth": lambda: StochasticDepth(0.5, "row")(MAPS),
    "attention": lambda: F.scaled_dot_product_attention(QUERIES, QUERIES, QUERIES, dropout_p=0.5),
    "attention layer": lambda: nn.MultiheadAttention(6, 2, 0.5)(*[QUERIES.transpose(1, 2)] * 3)[0].detach(),
    "recurrent": lambda: nn.GRU(6, 4, num_layers=2, dropout=0.5)(ROWS)[0].detach(),
    "compiled for the interpreter": lambda: torch.jit.trace(lambda x: x + torch.rand(3), torch.ones(3))(torch.ones(3)),
}


def from_global_generator(draw, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return draw()


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("draw", DRAWING.values(), ids=DRAWING)
@pytest.mark.filterwarnings("ignore:Trace had nondeterministic nodes", "ignore::torch.jit.TracerWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
def test_the_numbers_are_those_of_the_global_generator_which_is_not_used(draw, mode):
    with mode():
        expected = from_global_generator(draw, 3)
    before = torch.get_rng_state()
    with mode(), OwnDraws(3):
        found = draw()
    assert torch.equal(found, expected)
    assert torch.equal(torch.get_rng_state(), before)
    with mode(), OwnDraws(4):
        assert not torch.equal(draw(), expected)


def test_gradients_of_dropout():
    inputs = ROWS.clone().requires_grad_()
    with OwnDraws(0):
        outputs = F.dropout(inputs, 0.5)
        outputs.sum().backward()
    assert torch.equal(inputs.grad * ROWS, outputs)


def test_dropout_of_accelerators():
    inputs = ROWS.clone().requires_grad_()
    before = torch.get_rng_state()
    with OwnDraws(0):
        outputs, kept = torch.native_dropout(inputs, 0.25, True)
        nothing, _ = torch.native_dropout(inputs, 1.0, True)
        outputs.sum().backward()
    torch.testing.assert_close(outputs, ROWS * kept / 0.75)
    torch.testing.assert_close(inputs.grad, kept / 0.75)
    assert 0 < kept.float().mean() < 1
    assert not nothing.any()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_context_continues_when_it_is_entered_again():
    draws = OwnDraws(5, 1, 0)
    with draws:
        first = torch.rand(3)
    with draws:
        second = torch.rand(3)
    with OwnDraws(5, 1, 0):
        assert torch.equal(torch.rand(6), torch.cat([first, second]))
    with OwnDraws(5, 2, 0):
        assert not torch.equal(torch.rand(3), first)


def test_an_operator_keeps_its_generator():
    generator = torch.Generator().manual_seed(1)
    with OwnDraws(0):
        found = torch.rand(3, generator=generator)
    assert torch.equal(found, torch.rand(3, generator=torch.Generator().manual_seed(1)))


def test_tensors_without_values():
    with torch.device("meta"), OwnDraws(0):
        assert nn.Linear(3, 2).weight.device.type == "meta"


def test_an_operator_without_a_generator_is_an_error():
    with OwnDraws(0):
        # Without dropout the same kind of operator draws nothing.
        F.scaled_dot_product_attention(QUERIES, QUERIES, QUERIES)
        with pytest.raises(RuntimeError, match="accepts no generator"):
            torch.ops.aten._fill_mem_eff_dropout_mask_(torch.empty(2), 0.5, 0, 0)


def test_layers_that_are_computed_again_must_not_draw():
    inputs = ROWS.clone().requires_grad_()
    with OwnDraws(0):
        loss = checkpoint(F.dropout, inputs, use_reentrant=False, preserve_rng_state=False).sum()
        with pytest.raises(RuntimeError, match="do not recompute layers that draw"):
            loss.backward()


def test_other_threads_draw_from_the_global_generator():
    """A thread of the user draws while networks are built: it gets the sequence of its seed."""
    torch.manual_seed(11)
    drawn, done = [], threading.Event()

    def draw():
        while not done.is_set() or len(drawn) < 10:
            drawn.append(torch.rand(1))

    thread = threading.Thread(target=draw)
    thread.start()
    for seed in range(20):
        build_network("tiny", seed=seed)
    done.set()
    thread.join()
    expected = torch.rand(len(drawn), generator=torch.Generator().manual_seed(11))
    assert torch.equal(torch.cat(drawn), torch.cat([*map(lambda one: one[None], expected)]))


def test_the_compiler_of_other_threads_is_not_affected():
    with OwnDraws(0):
        assert not _python_dispatch.is_in_torch_dispatch_mode()


def test_networks_in_threads_are_equal():
    expected = [build_network("tiny", seed=seed).state_dict() for seed in range(20)]
    found = {}

    def build(seeds):
        found.update({seed: build_network("tiny", seed=seed).state_dict() for seed in seeds})

    threads = [threading.Thread(target=build, args=(range(first, 20, 4),)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, weights in enumerate(expected):
        assert all(torch.equal(tensor, found[seed][name]) for name, tensor in weights.items())


class Noise(nn.Module):
    def forward(self, inputs):
        return inputs + torch.rand_like(inputs)


def hooked():
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda *args: None)
    return layer


@pytest.mark.parametrize(
    ("network", "in_training", "in_evaluation"),
    [
        (lambda: build_network("signet_residual"), False, False),
        (lambda: build_network("smallcnn"), True, False),
        (lambda: build_network("torchvision:resnet18"), False, False),
        (lambda: build_network("torchvision:squeezenet1_1"), True, False),
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0)), False, False),
        (lambda: nn.LSTM(2, 2, num_layers=2, dropout=0.1), True, False),
        (lambda: nn.MultiheadAttention(2, 1, dropout=0.1), True, False),
        (lambda: nn.RReLU(), True, False),
        (lambda: StochasticDepth(0.1, "row"), True, False),
        (lambda: nn.FractionalMaxPool2d(2, output_size=3), True, True),
        (lambda: nn.Sequential(nn.ReLU(), Noise()), True, True),
        (hooked, True, True),
    ],
)
def test_networks_that_may_draw(network, in_training, in_evaluation):
    with OwnDraws(0):
        network = network()
    assert may_draw(network) is in_training
    assert may_draw(network, evaluation=True) is in_evaluation


def test_fixed_draws():
    with fixed_draws(needed=True):
        first = torch.rand(3)
    with fixed_draws(needed=True):
        assert torch.equal(torch.rand(3), first)
    before = torch.get_rng_state()
    with fixed_draws(needed=False):
        torch.rand(3)
    assert not torch.equal(torch.get_rng_state(), before)
