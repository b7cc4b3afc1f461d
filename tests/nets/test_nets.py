"""Blocks, bodies and weights on the disk, against plain second ways to compute the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.nets import blocks, bodies, weights  # noqa: E402  torch must be there first

FRONT = {"numbers": 4, "flags": 2, "cardinalities": [5, 30], "pieces": 6}
BODIES = {
    "MemberMlp": {"members": 3, "width": 8, "layers": 2},
    "SharedMlp": {"members": 4, "width": 8, "layers": 2},
    "Residual": {"width": 8, "blocks": 2},
}


def _inputs(rows: int = 7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    numbers = torch.randn(rows, 4, generator=generator)
    flags = (torch.rand(rows, 2, generator=generator) < 0.5).float()
    codes = torch.stack([torch.randint(0, c, (rows,), generator=generator) for c in (5, 30)], dim=1)
    return numbers, flags, codes


def _net(body: str) -> bodies.Net:
    torch.manual_seed(0)
    net = bodies.build({"front": FRONT, "class": body, "body": BODIES[body], "outputs": 3})
    net.front.cut(np.array([0, 0, 1, 1, 2, 3]), np.linspace(-1, 1, 6, dtype=np.float32), np.ones(6, dtype=np.float32))
    return net


@pytest.mark.parametrize("body", BODIES)
def test_shape_and_a_row_alone(body: str) -> None:
    net = _net(body).eval()
    together = net(*_inputs())
    alone = net(*(part[3:4] for part in _inputs()))
    assert together.shape == (BODIES[body].get("members", 1), 7, 3)
    assert torch.allclose(together[:, 3:4], alone, atol=1e-5)


@pytest.mark.parametrize("body", BODIES)
def test_saved_and_loaded_it_is_the_same_and_can_be_trained_on(body: str, tmp_path: Path) -> None:
    net = _net(body).eval()
    architecture = {"front": FRONT, "class": body, "body": BODIES[body], "outputs": 3}
    weights.save(weights.of(net), architecture, tmp_path)
    loaded, again = weights.load(tmp_path)
    other = bodies.build(again).eval()
    other.load_state_dict({name: torch.from_numpy(array) for name, array in loaded.items()})
    assert again == architecture
    assert torch.equal(net(*_inputs()), other(*_inputs()))
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}


@pytest.mark.parametrize("body", BODIES)
def test_it_starts_from_what_it_is_told(body: str) -> None:
    net = _net(body).eval()
    net.body.head.start_from(np.array([0.5, -1.0, 2.0], dtype=np.float32))
    assert torch.equal(net(*_inputs()).reshape(-1, 3).unique(dim=0), torch.tensor([[0.5, -1.0, 2.0]]))


def test_members_are_independent_nets() -> None:
    layer = blocks.MemberLinear(3, 4, 2)
    x = torch.randn(5, 4)
    for member in range(3):
        expected = x @ layer.weight[member] + layer.bias.values[member]
        assert torch.allclose(layer(x)[member], expected, atol=1e-6)


def test_shared_layers_equal_the_published_ones() -> None:
    tabm = pytest.importorskip("tabm")
    ours = blocks.SharedLinear(4, 6, 5, first=True)
    theirs = tabm.LinearBatchEnsemble(6, 5, k=4, scaling_init=("random-signs", "ones"))
    with torch.no_grad():
        theirs.weight.copy_(ours.weight.T)
        theirs.r.copy_(ours.inputs.values[:, 0])
        theirs.s.copy_(ours.outputs.values[:, 0])
        theirs.bias.copy_(ours.bias.values[:, 0])
    x = torch.randn(9, 6)
    expected = theirs(x[:, None].expand(9, 4, 6)).transpose(0, 1)
    assert torch.allclose(ours(x), expected, atol=1e-5)


def test_pieces_equal_the_published_encoding() -> None:
    embeddings = pytest.importorskip("rtdl_num_embeddings")
    edges = torch.tensor([-1.0, 0.0, 0.5, 2.0])
    block = blocks.Pieces(3)
    block.low.copy_(edges[:-1])
    block.length.copy_(edges.diff())
    x = torch.linspace(-1.0, 2.0, 31)[:, None]  # inside the edges: outside, the published one goes on linearly
    assert torch.allclose(block(x), embeddings.PiecewiseLinearEncoding([edges])(x), atol=1e-6)


def test_a_code_never_seen_is_the_zero_vector() -> None:
    block = blocks.CategoryVectors([5, 30], 8)
    assert torch.equal(block(torch.zeros(2, 2, dtype=torch.int64)), torch.zeros(2, 16))


def test_waves_equal_their_formula() -> None:
    block = blocks.PeriodicNumbers(2, waves=4, out=3)
    x = torch.randn(6, 2)
    waves = torch.cos(2 * np.pi * x[:, :, None] * block.frequencies + block.phases)
    mixed = torch.einsum("bfw,fwo->bfo", waves, block.mix) + block.shift[:, 0]
    assert torch.allclose(block(x), torch.cat([x[:, :, None], mixed], dim=2).flatten(1), atol=1e-5)


def test_dropout_leaves_out_its_share_and_only_in_training() -> None:
    block = blocks.Dropout(0.25)
    x = torch.ones(200, 200)
    dropped = block(x)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.03)
    assert not torch.equal(dropped, block(x))
    assert torch.equal(block.eval()(x), x)
    blocks.forget(block)
    assert block.pool is None
