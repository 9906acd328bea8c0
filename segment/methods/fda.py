"""FDA: pictures of the source get the low frequencies of the target."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from segment.levels import centered, levels
from segment.logits import doubt
from segment.methods.supervised import Supervised
from training.method import Batch, Unlabeled


def low_frequencies(source: Tensor, target: Tensor, reach: float) -> Tensor:
    """Pictures (n, 3, h, w) with the phase of `source`, and the amplitude of `target` in a window of low frequencies.

    The window reaches floor(reach * min(h, w)) from frequency 0 to each side. Yang and Soatto, FDA, CVPR 2020, eqs. 2
    and 3.
    """
    height, width = source.shape[-2:]
    side = int(reach * min(height, width))
    here, there = torch.fft.fft2(source), torch.fft.fft2(target)
    rows, columns = (torch.fft.fftfreq(n, 1 / n, device=source.device).abs() <= side for n in (height, width))
    amplitude = torch.where(rows[:, None] & columns, there.abs(), here.abs())
    return torch.fft.ifft2(torch.polar(amplitude, here.angle())).real


def charbonnier_entropy(logits: Tensor, eta: float = 2.0) -> Tensor:
    """Mean of (H^2 + 1e-8)^eta () with the entropy H of each pixel of logits (n, …, h, w), a share of the largest one.

    Large entropies count more than small ones. Yang and Soatto, FDA, CVPR 2020, section 3.1.
    """
    return (doubt(logits).square() + 1e-8).pow(eta).mean()


class FDA(Supervised):
    """The loss on source pictures with the target's low frequencies, and `charbonnier_entropy` on the target."""

    class Settings(Supervised.Settings):
        """reach: of the low frequencies, as a share of the picture's side. weight: of the entropy."""

        reach: float = Field(default=0.01, ge=0, le=0.5)
        weight: float = Field(default=0.005, ge=0)

    settings: Settings

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        with torch.autocast(source.images.device.type, enabled=False):
            styled = low_frequencies(levels(source.images), levels(target.images), self.settings.reach)
            images = centered(styled.clamp(0, 1))
        return {
            "source": self.cost(images, source.targets),
            "entropy": self.settings.weight * charbonnier_entropy(self.network(target.images)),
        }
