"""Show where in a picture a network looks: Grad-CAM, and attention rollout for transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from classify.augment import MEAN, STD
from classify.methods.base import Method
from classify.mixer import Mixer
from classify.network import Backbone
from training.method import Batch

# Least side of a feature map that is fine enough to show a position.
_FINE = 4


@dataclass(frozen=True)
class Look:
    """Predictions of a method for some pictures, and maps of where it looks. All on the CPU.

    pictures: (n, h, w, 3) uint8. maps: (n, h, w) float in [0, 1], 1 at the most important position. labels: (n,) int64,
    -1 for unknown. probabilities: (n, k) float. kind: name of the kind of map, for users.
    """

    pictures: Tensor
    maps: Tensor
    labels: Tensor
    probabilities: Tensor
    kind: str


def look(method: Method, batch: Batch) -> Look:
    """Compute where a method, in evaluation mode, looks in the pictures of a batch without augmentation.

    Transformers use attention rollout, which does not depend on the class. All other networks use Grad-CAM for the
    predicted class.
    """
    transformer = any(isinstance(module, Backbone) and module.tokens for module in method.modules())
    maps, logits = (rollout if transformer else grad_cam)(method, batch.images)
    colors = [torch.tensor(c, device=batch.images.device).view(3, 1, 1) for c in (MEAN, STD)]
    pictures = ((batch.images * colors[1] + colors[0]) * 255).round().clamp(0, 255).byte()
    return Look(
        pictures.permute(0, 2, 3, 1).cpu(),
        maps.cpu(),
        batch.targets.cpu(),
        logits.float().softmax(1).cpu(),
        "attention rollout" if transformer else "Grad-CAM",
    )


def grad_cam(method: Method, images: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (n, h, w) in [0, 1] and logits (n, k) for images (n, 3, h, w) (Selvaraju et al., ICCV 2017, eqs. 1-2).

    The last feature map with at least 4 x 4 positions is used. If pictures are too small for that, it is the last one
    with more than one position. A Mixer uses its last tokens. If nothing in a picture supports the class, its map is
    all zeros. Raises ValueError for a network without feature maps.
    """
    kept: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:
        if not isinstance(output, Tensor) or not (output.ndim == 3 or (output.ndim == 4 and output[0, 0].numel() > 1)):
            return
        if not kept or _fine(output) or not _fine(kept[0]):
            kept[:] = [output]

    mixers = [module.norm for module in method.modules() if isinstance(module, Mixer)]
    with torch.enable_grad(), _hooked(mixers or method.modules(), keep):
        # Weights may not require gradients. The images do, so the feature maps have gradients too.
        logits = method.predict(images.detach().clone().requires_grad_())
        if not kept:
            raise ValueError("grad_cam: no module gives a map of features")
        (gradient,) = torch.autograd.grad(logits.max(1).values.sum(), kept[0])
    features, gradient = _map(kept[0].detach()), _map(gradient)
    weights = gradient.mean((2, 3), keepdim=True)
    return _spread((weights * features).sum(1).relu(), images), logits.detach()


@torch.no_grad()
def rollout(method: Method, images: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (n, h, w) in [0, 1] and logits (n, k) for images (n, 3, h, w) (Abnar & Zuidema, ACL 2020).

    The attention matrices of all layers are multiplied. Each is the mean over the heads, averaged with the identity
    for the skip connection. The map is the attention of the class token to each patch.
    """
    taken: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, tuple) and len(output) > 1 and isinstance(output[1], Tensor) and output[1].ndim == 4:
            taken.append(output[1].float().mean(1))

    models = [module.model for module in method.modules() if isinstance(module, Backbone)]
    with _eager(models), _hooked(method.modules(), keep):
        logits = method.predict(images)
    through = torch.eye(taken[0].shape[-1], device=images.device).expand_as(taken[0])
    for attention in taken:
        through = (attention @ through + through) / 2
    tokens = through[:, 0]
    patches = int((tokens.shape[1] - 1) ** 0.5)
    grid = tokens[:, -(patches**2) :].unflatten(1, (patches, patches))
    return _spread(grid - grid.amin((1, 2), keepdim=True), images), logits


def _fine(features: Tensor) -> bool:
    """Whether a feature map has enough positions to show where."""
    return features.ndim == 3 or min(features.shape[2:]) >= _FINE


def _map(features: Tensor) -> Tensor:
    """A feature map (n, c, h, w), also from the tokens (n, h·w, c) of a square."""
    if features.ndim == 4:
        return features
    side = int(features.shape[1] ** 0.5)
    return features.transpose(1, 2).unflatten(2, (side, side))


def _spread(maps: Tensor, images: Tensor) -> Tensor:
    """Enlarge maps to the size of the images, (n, h, w), and divide each by its maximum."""
    large = interpolate(maps.float()[:, None], images.shape[2:], mode="bicubic").clamp(min=0)[:, 0]
    highest = large.amax((1, 2), keepdim=True)
    return large / torch.where(highest > 0, highest, 1)


@contextmanager
def _hooked(modules: Iterable[nn.Module], hook: Callable[[nn.Module, Any, Any], None]) -> Iterator[None]:
    hooks = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for each in hooks:
            each.remove()


@contextmanager
def _eager(models: Iterable[Any]) -> Iterator[None]:
    """In the block, models of transformers use the attention implementation that returns attention weights."""
    before = [(model, model.config._attn_implementation) for model in models]
    try:
        for model, _ in before:
            model.set_attn_implementation("eager")
        yield
    finally:
        for model, implementation in before:
            model.set_attn_implementation(implementation)
