"""Mask2Former: one network that labels pixels with classes, and tells single objects apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

from scenes.errors import InputError
from segment.ignored import IGNORED
from segment.logits import classes_in
from segment.network import Segmenter, Segments, fitted
from training.pretrained import load_pretrained

_STAGES = ["stage1", "stage2", "stage3", "stage4"]
# A query is an object or a surface from this score on, and if this share of its own mask is left to it: the values of
# the authors' code for panoptic segmentation.
_SCORE, _LEFT = 0.8, 0.8
# Where a class has no chance at all, the logarithm of its chance stays finite.
_LEAST = 1e-6


def _swin(width: int, depths: tuple[int, ...], heads: int, window: int, **others: Any) -> Mask2FormerConfig:
    backbone = SwinConfig(
        embed_dim=width,
        depths=list(depths),
        num_heads=[heads << level for level in range(4)],
        window_size=window,
        out_features=_STAGES,
        drop_path_rate=0.3,
    )
    return Mask2FormerConfig(backbone_config=backbone, **others)


_TINY = {
    "feature_size": 64, "mask_feature_size": 64, "hidden_dim": 64, "encoder_feedforward_dim": 64, "encoder_layers": 1,
    "decoder_layers": 3, "num_attention_heads": 4, "dim_feedforward": 64, "num_queries": 24, "train_num_points": 1024,
}  # fmt: skip
# Swin's widths, blocks, heads and windows: Liu et al., ICCV 2021, section 3.3; those of B and L with 384 pixels.
CONFIGS: dict[str, Callable[[], Mask2FormerConfig]] = {
    "mask2former-tiny": partial(_swin, 16, (1, 1, 1, 1), 1, 4, **_TINY),
    "mask2former-swin-t": partial(_swin, 96, (2, 2, 6, 2), 3, 7),
    "mask2former-swin-s": partial(_swin, 96, (2, 2, 18, 2), 3, 7),
    "mask2former-swin-b": partial(_swin, 128, (2, 2, 18, 2), 4, 12),
    "mask2former-swin-l": partial(_swin, 192, (2, 2, 18, 2), 6, 12, num_queries=200),
}
"""The shape of each network by its name. `tiny` is for CPUs and tests. The others are those of Cheng et al."""


class Mask2Former(Segmenter):
    """Mask2Former (Cheng et al., CVPR 2022) on Swin, from transformers. It is trained by its own loss with matching.

    Its logits are the logarithm of each class's chance: the sum over the queries of the chance of the class times that
    of the mask (Cheng et al., MaskFormer, NeurIPS 2021, section 3.4).
    """

    stride = 32
    segmenting = True

    def __init__(self, name: str, weights: str | None, classes: int):
        super().__init__()
        if classes < 2:
            raise InputError(f"field model: '{name}' learns classes: write classes: all, or [background, crack]")
        config, kind = CONFIGS[name](), Mask2FormerForUniversalSegmentation
        config.num_labels = classes
        if weights is None:
            self.model = kind(config)
        else:
            new = ("class_predictor.", "criterion.empty_weight")
            self.model = load_pretrained(kind, name, config, weights, new=new, num_labels=classes)
            _check_shape(name, config, self.model.config, weights)
        # Swin as a backbone has a norm that nothing uses.
        self.model.model.pixel_level_module.encoder.swin.layernorm.requires_grad_(False)
        self._classes = classes

    @property
    def classes(self) -> int:
        return self._classes

    def backbone(self) -> Iterable[nn.Parameter]:
        return self.model.model.pixel_level_module.encoder.parameters()

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        chances, masks = self._queries(images)
        # Summed at the resolution of the masks, and then enlarged: there are far more queries than classes.
        found = torch.einsum("nqk,nqhw->nkhw", chances[..., :-1], masks.sigmoid())
        full = interpolate(found, scale_factor=4, mode="bilinear", align_corners=False)
        return full[..., :height, :width].clamp(min=_LEAST).log()

    def own_loss(self, images: Tensor, labels: Tensor) -> Tensor:
        padded = fitted(images, self.stride)
        height, width = images.shape[-2:]
        rows, columns = padded.shape[-2] - height, padded.shape[-1] - width
        there = nn.functional.pad(labels, (0, columns, 0, rows), value=IGNORED)
        pairs = [_targets(one) for one in there]
        seen = torch.ones(padded[:, 0].shape, dtype=torch.int64, device=images.device)
        loss: Tensor = self.model(
            padded,
            mask_labels=[masks for masks, _ in pairs],
            class_labels=[kinds for _, kinds in pairs],
            pixel_mask=seen,
        ).loss
        return loss.reshape(())

    @torch.no_grad()
    def segments(self, images: Tensor) -> list[Segments]:
        height, width = images.shape[-2:]
        chances, masks = self._queries(images)
        full = interpolate(masks, scale_factor=4, mode="bilinear", align_corners=False)[..., :height, :width].sigmoid()
        return [_segments(one, mask) for one, mask in zip(chances, full, strict=True)]

    def _queries(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The chances (n, q, k + 1) of the classes of each query, the last that it is none, and its mask's logits
        (n, q, h / 4, w / 4), of images that are enlarged to a multiple of `stride`."""
        found = self.model(fitted(images, self.stride))
        return found.class_queries_logits.float().softmax(-1), found.masks_queries_logits.float()


def _check_shape(name: str, config: Mask2FormerConfig, theirs: Mask2FormerConfig, weights: str) -> None:
    pairs = [(config, theirs, "num_queries")]
    pairs += [
        (config.backbone_config, theirs.backbone_config, field) for field in ("model_type", "embed_dim", "depths")
    ]
    for ours, other, field in pairs:
        wanted, given = getattr(ours, field, None), getattr(other, field, None)
        if given != wanted:
            raise InputError(f"weights: {weights}: its {field} is {given}, but {name} has {wanted}")


def _targets(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Masks (m, h, w) float and classes (m,) int64 of the segments of labels (h, w).

    A segment is an object of a class, or all pixels of a class that belong to no object.
    """
    numbers = labels[classes_in(labels) != IGNORED].unique()
    return (labels[None] == numbers[:, None, None]).float(), classes_in(numbers)


def _segments(chances: Tensor, masks: Tensor) -> Segments:
    """The segments of one picture, from chances (q, k + 1) and masks (q, h, w), 0 to 1.

    As in the authors' code: each pixel goes to the query with the largest score times mask. A query that keeps less
    than most of its own mask is dropped.
    """
    scores, kinds = chances.max(-1)
    kept = (kinds < chances.shape[-1] - 1) & (scores > _SCORE)
    scores, kinds, masks = scores[kept], kinds[kept], masks[kept]
    numbers = torch.zeros(masks.shape[-2:], dtype=torch.int32, device=masks.device)
    classes, sure = [], []
    owner = (scores[:, None, None] * masks).argmax(0) if len(scores) else numbers
    for k in range(len(scores)):
        own = masks[k] >= 0.5
        inside = (owner == k) & own
        if not inside.any() or inside.sum() < _LEFT * own.sum():
            continue
        classes.append(int(kinds[k]))
        sure.append(float(scores[k]))
        numbers[inside] = len(classes)
    return Segments(numbers.cpu().numpy(), tuple(classes), tuple(sure))
