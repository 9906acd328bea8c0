"""Colors of vertices are drawn where they are, times the color of the material."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("bpy", reason="needs Blender's module")

from render.cli.preview import draw_assets
from scenes.assets.catalogue import Catalogue
from scenes.assets.sources import ModelFolder


@pytest.mark.slow
def test_each_side_has_its_color(tmp_path: Path) -> None:
    # A card that faces the camera: left half red, right half green; its material takes half of the green.
    corners = [(x, y) for x in (0, 1) for y in (0, 1)]
    halves = [(corners, 0, "1 0 0"), (corners, 1, "0 1 0")]
    lines = [f"v {x + shift} {y} 0 {color}" for half, shift, color in halves for x, y in half]
    (tmp_path / "m.mtl").write_text("newmtl a\nKd 1 0.5 1\n")
    faces = "f 1 3 4 2\nf 5 7 8 6\n"
    (tmp_path / "card.obj").write_text("mtllib m.mtl\n" + "\n".join(lines) + f"\nusemtl a\n{faces}")
    catalogue = Catalogue(models=[ModelFolder(tmp_path / "card.obj")], cache=tmp_path / "cache")
    draw_assets(["card.obj"], catalogue, tmp_path / "sheet.png")
    pixels = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB")).astype(float)
    r, g, b = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    # The sheen of the surface is white, so a color is only the largest of three.
    red, green = r > 1.3 * np.maximum(g, b), g > 1.3 * np.maximum(r, b)
    assert red.sum() > 1000 and green.sum() > 1000
    assert np.nonzero(red)[1].mean() < np.nonzero(green)[1].mean(), "red is on the left"
    # Both halves have the same light, so linear light tells what the material takes.
    linear = [((pixels[where][:, k] / 255) ** 2.2).mean() for where, k in ((red, 0), (green, 1))]
    assert 0.12 < linear[1] / linear[0] < 0.45, "0.5 of a display is 0.214 in linear light"
