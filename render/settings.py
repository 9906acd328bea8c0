"""Render settings: the quality presets, and the settings of a config."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scenes.config.objects import RenderConfig


@dataclass(frozen=True)
class DrawSettings:
    """Settings of the renderer.

    samples: samples per pixel. denoise: whether OIDN denoises the picture. bounces: number of light bounces. plate:
    whether to draw the clean plate too. flow: whether to calculate the optical flow too. device: "cpu" or a kind of GPU
    (KINDS in render/farm/devices.py), never "auto". threads: number of CPU threads, 0 for all cores. keep: whether the
    renderer keeps a scene for further views of it.
    """

    samples: int
    denoise: bool
    bounces: int
    plate: bool = False
    flow: bool = False
    device: str = "cpu"
    threads: int = 0
    keep: bool = False


# Chosen by measurement, see benchmarks/quality.md.
QUALITY = {
    "draft": DrawSettings(samples=2, denoise=True, bounces=2),
    "standard": DrawSettings(samples=8, denoise=True, bounces=4),
    "high": DrawSettings(samples=128, denoise=True, bounces=8),
}


def resolve(settings: RenderConfig, device: str = "cpu", threads: int = 0, views: int = 1) -> DrawSettings:
    """The quality preset of a config, with the values that the config overrides. views: of each scene."""
    given = {name: getattr(settings, name) for name in ("samples", "denoise", "bounces")}
    chosen = {name: value for name, value in given.items() if value is not None}
    wanted = {"plate": settings.plate, "flow": settings.flow}
    return replace(QUALITY[settings.quality], device=device, threads=threads, keep=views > 1, **wanted, **chosen)
