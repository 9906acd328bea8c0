"""MLP-Mixer (Tolstikhin et al., "MLP-Mixer: An all-MLP Architecture for Vision", NeurIPS 2021, table 1)."""

from __future__ import annotations

from torch import Tensor, nn


def _mlp(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


class Block(nn.Module):
    """A layer (n, tokens, width): an MLP over the tokens, then one over the features, each with a skip connection."""

    def __init__(self, tokens: int, width: int, token_hidden: int, hidden: int):
        super().__init__()
        self.token_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.token_mlp, self.mlp = _mlp(tokens, token_hidden), _mlp(width, hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.token_mlp(self.token_norm(tokens).transpose(1, 2)).transpose(1, 2)
        return tokens + self.mlp(self.norm(tokens))


class Mixer(nn.Module):
    """Images (n, 3, size, size) to features (n, width), the mean of the normalized tokens. By default Mixer-B/16.

    The weights fit only one size, because each pair of positions has a weight. size: a multiple of `patch`.
    """

    def __init__(
        self,
        size: int,
        patch: int = 16,
        *,
        width: int = 768,
        depth: int = 12,
        token_hidden: int = 384,
        hidden: int = 3072,
    ):
        super().__init__()
        self.width = width
        self.patches = nn.Conv2d(3, self.width, patch, patch)
        tokens = (size // patch) ** 2
        self.blocks = nn.Sequential(*(Block(tokens, self.width, token_hidden, hidden) for _ in range(depth)))
        self.norm = nn.LayerNorm(self.width)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        return self.norm(self.blocks(tokens)).mean(1)
