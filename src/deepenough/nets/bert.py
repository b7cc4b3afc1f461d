"""The forward pass of BERT's encoder (Devlin et al., 2019, arXiv 1810.04805), for weights by their usual names.

Needs that this module answers:

* A pretrained encoder runs without the library that trained it, whose import alone takes seconds.
* It can be run layer by layer: what stays as it is can be computed once, what is trained on again and again.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.blocks import MemberLinear

EPSILON = 1e-12


class Layer(nn.Module):
    """One layer: steps look at each other, then each is bent by itself; normalised after each.

    Shape: (B, T, width), which steps are present (B, T) bool -> (B, T, width).
    """

    def __init__(self, width: int, inside: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.joined = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, inside), nn.Linear(inside, width)
        self.after_attending, self.after_bending = (nn.LayerNorm(width, eps=EPSILON) for _ in range(2))

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        rows, steps, width = x.shape
        split = (rows, steps, self.heads, width // self.heads)
        query, key, value = (part(x).view(split).transpose(1, 2) for part in (self.query, self.key, self.value))
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None, :])
        x = self.after_attending(x + self.joined(seen.transpose(1, 2).reshape(rows, steps, width)))
        return self.after_bending(x + self.narrow(functional.gelu(self.widen(x))))  # type: ignore[no-any-return] # torch types every call of a module as Any


NAMES = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "joined",
    "attention.output.LayerNorm": "after_attending",
    "intermediate.dense": "widen",
    "output.dense": "narrow",
    "output.LayerNorm": "after_bending",
}
"""Of a layer's parts: how the weights call them, and how `Layer` does."""


class Bert(nn.Module):
    """Numbers of tokens to a vector of each: its own and its place's, through all layers.

    Shape: tokens (B, T) int64, which are present (B, T) bool -> (B, T, width).
    """

    def __init__(self, weights: Mapping[str, Tensor], layers: int, heads: int) -> None:
        super().__init__()
        self.words = nn.Parameter(weights["embeddings.word_embeddings.weight"])
        sort = weights["embeddings.token_type_embeddings.weight"][0]  # every token is of the first sort
        self.places = nn.Parameter(weights["embeddings.position_embeddings.weight"] + sort)
        inside, width = weights["encoder.layer.0.intermediate.dense.weight"].shape
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.norm.load_state_dict(_part(weights, "embeddings.LayerNorm."))
        self.layers = nn.ModuleList()
        for place in range(layers):
            layer = Layer(width, inside, heads)
            for theirs, ours in NAMES.items():
                layer.get_submodule(ours).load_state_dict(_part(weights, f"encoder.layer.{place}.{theirs}."))
            self.layers.append(layer)

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        return self.up_to(len(self.layers), tokens, there)

    def up_to(self, layers: int, tokens: Tensor, there: Tensor) -> Tensor:
        """What the first layers make of it."""
        x: Tensor = self.norm(functional.embedding(tokens, self.words) + self.places[: tokens.shape[1]])
        for layer in self.layers[:layers]:
            x = layer(x, there)
        return x


class Last(nn.Module):
    """Copies of a net's last layers, to be trained on, and a head.

    Shape: what the layers before made of the tokens (B, T, width), which are present (B, T) bool -> (1, B, outputs).
    """

    def __init__(self, net: Bert, layers: int, outputs: int, head_rate: float = 10.0) -> None:
        super().__init__()
        self.layers = copy.deepcopy(net.layers[len(net.layers) - layers :]).requires_grad_(True)
        self.head = MemberLinear(1, net.words.shape[1], outputs, bias_rate=head_rate)
        self.head.rate_factor = head_rate  # type: ignore[assignment] # the training loop looks for it on any module

    def vectors(self, x: Tensor, there: Tensor) -> Tensor:
        """What the head sees: (B, width)."""
        for layer in self.layers:
            x = layer(x, there)
        return sentence_vectors(x, there)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        return self.head(self.vectors(x, there))  # type: ignore[no-any-return] # torch types every call of a module as Any


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in weights.items() if name.startswith(prefix)}


def sentence_vectors(x: Tensor, there: Tensor) -> Tensor:
    """The mean of the vectors of the tokens that are present, of length one. (B, T, width) -> (B, width)."""
    weight = there[:, :, None].to(x.dtype)
    return functional.normalize((x * weight).sum(dim=1) / weight.sum(dim=1), dim=1)
