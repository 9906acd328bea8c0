"""How a picture is computed: the quality presets and what a config resolves to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scenes.config.objects import RenderConfig


@dataclass(frozen=True)
class DrawSettings:
    """samples a pixel; OIDN denoising; light bounces; plate: also draw the clean background; threads 0: all cores.

    device: "cpu" or a kind of GPU (render/farm/devices.py: KINDS), already chosen: "auto" never comes this far.
    """

    samples: int
    denoise: bool
    bounces: int
    plate: bool = False
    device: str = "cpu"
    threads: int = 0


# Chosen by measurement, see benchmarks/quality.md.
QUALITY = {
    "draft": DrawSettings(samples=2, denoise=True, bounces=2),
    "standard": DrawSettings(samples=8, denoise=True, bounces=4),
    "high": DrawSettings(samples=128, denoise=True, bounces=8),
}


def resolve(settings: RenderConfig, device: str = "cpu", threads: int = 0) -> DrawSettings:
    """The config's quality preset with its single entries overridden."""
    given = {name: getattr(settings, name) for name in ("samples", "denoise", "bounces")}
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(QUALITY[settings.quality], plate=settings.plate, device=device, threads=threads, **chosen)
