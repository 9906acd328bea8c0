"""The colors of the page, as people with each kind of color blindness see them."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

import gallery
import training
from render.false_color import id_colors

PAGE = Path(gallery.__file__).with_name("page")
STYLE = Path(training.__file__).with_name("templates") / "style.css"

SEEN = {
    "all colors": np.eye(3).tolist(),
    # Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE
    # TVCG 2009, severity 1, for linear RGB.
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    # Luminance, Rec. 709.
    "no color": [[0.2126, 0.7152, 0.0722]] * 3,
}
APART = 10.0
"""CIEDE2000 between two colors that nobody takes for one; a just noticeable difference is about 1."""


def seen(colors: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """CIELAB (n, 3) of sRGB colors (n, 3) from 0 to 1, as somebody sees them."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    found = np.clip(linear @ np.array(SEEN[how]).T, 0, 1)
    return np.asarray(rgb2lab(np.where(found <= 0.0031308, 12.92 * found, 1.055 * found ** (1 / 2.4) - 0.055)[None])[0])


def parsed(*colors: str) -> NDArray[np.float64]:
    return np.array([[int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)] for color in colors])


def constant(name: str) -> str:
    """What a constant of colors.js is, up to the end of its statement."""
    found = re.search(rf"const {name} = (.*?);", (PAGE / "colors.js").read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("how", SEEN)
def test_groups_on_the_map_differ_by_shape_or_by_color(how: str) -> None:
    colors, shapes = (json.loads(constant(name)) for name in ("GROUPS", "SHAPES"))
    assert len(set(shapes)) == 4 and len(colors) == 12 and "k % SHAPES.length" in constant("group")
    lab = seen(parsed(*colors), how)
    papers = re.findall(r"--paper: (#\w{6})", STYLE.read_text())
    grounds = seen(parsed(*papers), how)
    assert len(papers) == 2 and (deltaE_ciede2000(lab[:, None], grounds[None]) > APART).all()
    alike = [(a, b) for a, b in combinations(range(12), 2) if a % 4 == b % 4]
    assert len(alike) == 12
    for a, b in [*alike, *((k, k + 1) for k in range(11))]:  # and two neighbors, that is the largest groups, always
        assert deltaE_ciede2000(lab[a], lab[b]) > APART, (colors[a], colors[b])


@pytest.mark.parametrize("how", list(SEEN)[:4])
def test_the_first_ids_differ_and_the_first_of_all_is_seen_on_gray(how: str) -> None:
    lab = seen(id_colors(np.arange(1, 9)[None])[0] / 255, how)
    for a, b in combinations(range(8), 2):
        assert deltaE_ciede2000(lab[a], lab[b]) > APART, (a + 1, b + 1)
    concrete = seen(np.full((4, 3), [[0.3], [0.45], [0.6], [0.75]]), how)
    assert (deltaE_ciede2000(lab[:1], concrete) > 2 * APART).all()


@pytest.mark.parametrize("how", SEEN)
def test_more_is_lighter_on_the_scale_of_numbers(how: str) -> None:
    light = seen(np.array(json.loads(constant("SCALE"))) / 255, how)[:, 0]
    assert (np.diff(light) > APART).all()


@pytest.mark.parametrize("how", SEEN)
def test_bars_differ_from_the_bars_behind_them_and_from_the_page(how: str) -> None:
    for scheme in STYLE.read_text().split("prefers-color-scheme: dark")[:2]:
        told = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        paper, faint, accent, ink = seen(parsed(*(told[name] for name in ("paper", "faint", "accent", "ink"))), how)
        for a, b in ((paper, faint), (faint, accent), (paper, accent), (paper, ink), (faint, ink)):
            assert deltaE_ciede2000(a, b) > APART
