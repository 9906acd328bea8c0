"""Networks of transformers that label pixels: SegFormer, DPT on DINOv2, and UperNet on ConvNeXt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import pad
from transformers import (
    ConvNextConfig,
    Dinov2Backbone,
    Dinov2Config,
    DPTConfig,
    PretrainedConfig,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    UperNetConfig,
    UperNetForSemanticSegmentation,
)
from transformers.models.dpt.modeling_dpt import DPTNeck

from segment.network import Segmenter
from training.pretrained import load_pretrained

# Widths, blocks and decoder width of MiT-B0 to B5: Xie et al., SegFormer, NeurIPS 2021, tables 1 and 6.
_SMALL, _LARGE = (32, 64, 160, 256), (64, 128, 320, 512)
_MIT = {
    "b0": (_SMALL, (2, 2, 2, 2), 256),
    "b1": (_LARGE, (2, 2, 2, 2), 256),
    "b2": (_LARGE, (3, 4, 6, 3), 768),
    "b3": (_LARGE, (3, 4, 18, 3), 768),
    "b4": (_LARGE, (3, 8, 27, 3), 768),
    "b5": (_LARGE, (3, 6, 40, 3), 768),
}
_STAGES = ("stage3", "stage6", "stage9", "stage12")


def _mit(widths: tuple[int, ...], blocks: tuple[int, ...], decoder: int) -> SegformerConfig:
    return SegformerConfig(hidden_sizes=list(widths), depths=list(blocks), decoder_hidden_size=decoder)


def _dino(width: int, heads: int) -> Dinov2Config:
    shape = {"hidden_size": width, "num_attention_heads": heads, "image_size": 518}
    return Dinov2Config(**shape, out_features=list(_STAGES), use_mask_token=False)


CONFIGS: dict[str, Callable[[], PretrainedConfig]] = {
    **{f"segformer-{name}": partial(_mit, *shape) for name, shape in _MIT.items()},
    "dpt-dinov2-s": lambda: _dino(384, 6),
    "dpt-dinov2-b": lambda: _dino(768, 12),
    "upernet-convnext-t": lambda: UperNetConfig(
        backbone_config=ConvNextConfig(out_features=["stage1", "stage2", "stage3", "stage4"]), use_auxiliary_head=False
    ),
}
"""The shape of each network by its name."""


class SegFormer(Segmenter):
    """SegFormer (Xie et al., NeurIPS 2021). Its logits have a quarter of the resolution and are enlarged."""

    stride = 32

    def __init__(self, name: str, config: SegformerConfig, weights: str | None, classes: int):
        super().__init__()
        kind = SegformerForSemanticSegmentation
        model = load_pretrained(kind, name, config, weights, new=("decode_head.",)) if weights else kind(config)
        self.encoder, self.decoder = model.segformer, model.decode_head
        self.decoder.classifier = nn.Identity()
        self.head = nn.Conv2d(config.decoder_hidden_size, classes, 1)

    def encode(self, images: Tensor) -> list[Tensor]:
        return list(self.encoder(images, output_hidden_states=True).hidden_states)

    def decode(self, encoded: list[Tensor]) -> Tensor:
        return self.decoder(encoded)

    def backbone(self) -> Iterable[nn.Parameter]:
        return self.encoder.parameters()


class DPT(Segmenter):
    """DPT (Ranftl et al., ICCV 2021) on four layers of DINOv2, without the class token, as in UniMatch V2 and SENSE.

    Only the backbone starts from pre-trained weights.
    """

    stride = 14

    def __init__(self, name: str, config: Dinov2Config, weights: str | None, classes: int):
        super().__init__()
        options: dict[str, Any] = {"out_features": list(config.out_features), "use_mask_token": False}
        kind = Dinov2Backbone
        self.encoder = load_pretrained(kind, name, config, weights, **options) if weights else kind(config)
        width = config.hidden_size
        fused = max(16, width // 6)
        self.neck = DPTNeck(
            DPTConfig(
                hidden_size=width,
                readout_type="ignore",
                neck_hidden_sizes=[width // 8, width // 4, width // 2, width],
                fusion_hidden_size=fused,
                use_batch_norm_in_fusion_residual=True,
                neck_ignore_stages=[],
            )
        )
        self.last = nn.Sequential(nn.Conv2d(fused, fused, 3, padding=1, bias=False), nn.BatchNorm2d(fused), nn.ReLU())
        self.head = nn.Conv2d(fused, classes, 1)

    def encode(self, images: Tensor) -> list[Tensor]:
        return list(self.encoder(images).feature_maps)

    def decode(self, encoded: list[Tensor]) -> Tensor:
        # The neck expects sequences with a class token in front, and drops it.
        sequences = [pad(maps.flatten(2).mT, (0, 0, 1, 0)) for maps in encoded]
        return self.last(self.neck(sequences, *encoded[0].shape[-2:])[-1])

    def backbone(self) -> Iterable[nn.Parameter]:
        return self.encoder.parameters()


class UperNet(Segmenter):
    """UperNet (Xiao et al., ECCV 2018) on ConvNeXt (Liu et al., CVPR 2022)."""

    stride = 32

    def __init__(self, name: str, config: UperNetConfig, weights: str | None, classes: int):
        super().__init__()
        kind, new = UperNetForSemanticSegmentation, ("decode_head.", "auxiliary_head.")
        options = {"use_auxiliary_head": False}
        model = load_pretrained(kind, name, config, weights, new=new, **options) if weights else kind(config)
        self.encoder, self.decoder = model.backbone, model.decode_head
        self.decoder.classifier = nn.Identity()
        self.head = nn.Conv2d(config.hidden_size, classes, 1)

    def encode(self, images: Tensor) -> list[Tensor]:
        return list(self.encoder(images).feature_maps)

    def decode(self, encoded: list[Tensor]) -> Tensor:
        return self.decoder(encoded)

    def backbone(self) -> Iterable[nn.Parameter]:
        return self.encoder.parameters()


_KINDS: dict[str, Callable[[str, Any, str | None, int], Segmenter]] = {
    "segformer": SegFormer,
    "dinov2": DPT,
    "upernet": UperNet,
}


def of_transformers(name: str, weights: str | None, classes: int = 1) -> Segmenter:
    """The network `name` of `CONFIGS`. weights: a folder or a name on the Hugging Face Hub; None for random weights.
    classes: 1 for cracks.

    Raises InputError if the weights cannot be loaded.
    """
    config = CONFIGS[name]()
    return _KINDS[config.model_type](name, config, weights, classes)
