"""Measuring sets of crack pictures: lines of known width, length and course; known spectra; sets of every layout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from render.cli.main import main
from render.image.sheets import side_by_side
from scenes.errors import InputError
from segment.sets import open_set
from segment.statistics.compare import Measured, apart, as_json, measured, table
from segment.statistics.figure import figure, write_figure
from segment.statistics.lines import middle_lines
from segment.statistics.measure import QUANTITIES, dark_lines, measure, of_background, of_lines, ridges, ring, spectrum
from tests.frames import make_dataset

SIDE = 256
DIAGONAL = float(np.hypot(SIDE, SIDE))
Y, X = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
NAMES = {quantity.name for quantity in QUANTITIES if quantity.group == "crack"}
FLAT = np.full((SIDE, SIDE), 150, np.float32)

Mask = NDArray[np.bool_]


def bar(width: float, angle: float, length: float = 1e9, aside: float = 0.0) -> Mask:
    """A straight line through the middle, or beside it."""
    turn = np.radians(angle)
    along, across = X * np.cos(turn) + Y * np.sin(turn), Y * np.cos(turn) - X * np.sin(turn) - aside
    return (np.abs(across) <= width / 2) & (np.abs(along) <= length / 2)


def star(width: float, angles: list[float], length: float = 90.0) -> Mask:
    """Lines from the middle outward."""
    mask = np.zeros((SIDE, SIDE), bool)
    for turn in np.radians(angles):
        along, across = X * np.cos(turn) + Y * np.sin(turn), Y * np.cos(turn) - X * np.sin(turn)
        mask |= (np.abs(across) <= width / 2) & (along >= 0) & (along <= length)
    return mask


def noisy(rng: np.random.Generator, slope: float) -> NDArray[np.float32]:
    """Noise whose power falls with the frequency as its power `slope` does."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    frequency[0, 0] = 1
    waves = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * frequency ** (slope / 2)
    gray = np.fft.irfft2(waves, (SIDE, SIDE))
    return (130 + 20 * (gray - gray.mean()) / gray.std()).astype(np.float32)


# Lines -------------------------------------------------------------------------------------------------------------


@given(width=st.floats(2, 20), angle=st.floats(0, 180), length=st.floats(160, 200))
@examples(max_examples=40)
def test_a_straight_line_is_measured(width: float, angle: float, length: float) -> None:
    """Of a bar that is less than eight times as long as wide, branches to the corners may be a third of the line."""
    mask = bar(width, angle, length)
    values = of_lines(FLAT, mask)
    assert values["fraction"] == pytest.approx(100 * mask.mean())
    # A bar that is drawn in whole pixels can be one pixel wider than asked for.
    assert values["width"] == pytest.approx(width, abs=1.05)
    # A middle line ends before the lip does.
    assert length - 1.3 * width - 3 <= values["length"] * DIAGONAL <= length + 3
    assert values["branching"] == 0


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6])
def test_a_line_of_whole_pixels_has_their_number_as_its_width(width: int, upright: bool) -> None:
    mask = np.zeros((60, 80), bool)
    mask[20 : 20 + width] = True
    assert of_lines(FLAT[:60, :80], mask)["width"] == pytest.approx(width)
    # A line that ends in the picture gets a little narrower at its ends.
    mask[:, :10] = mask[:, -10:] = False
    mask = np.ascontiguousarray(mask.T) if upright else mask
    gray = np.zeros(mask.shape, np.float32)
    assert of_lines(gray, mask)["width"] == pytest.approx(width, abs=0.15)


@pytest.mark.parametrize("width", [2, 3, 4, 5, 6])
def test_the_width_of_a_line_does_not_depend_on_its_direction(width: int) -> None:
    widths = [of_lines(FLAT, bar(width, angle, aside=0.3))["width"] for angle in range(0, 180, 15)]
    assert np.mean(widths) == pytest.approx(width, abs=0.3)
    assert np.ptp(widths) < 0.8


@given(width=st.floats(6, 14), angle=st.floats(0, 180), slimness=st.floats(1.7, 4), aside=st.floats(-1, 1))
@examples(max_examples=40)
def test_a_short_wide_piece_is_as_wide_as_it_is(width: float, angle: float, slimness: float, aside: float) -> None:
    """Its tips, where the radius is the distance to the blunt end, do not count. They made it up to 39 % narrower."""
    values = of_lines(FLAT, bar(width, angle, slimness * width, aside))
    assert 0.91 * width - 0.5 <= values["width"] <= width + 1.05


@given(angle=st.floats(0, 180))
@examples(max_examples=10)
def test_a_crack_that_narrows_counts_to_its_point(angle: float) -> None:
    turn = np.radians(angle)
    along, across = X * np.cos(turn) + Y * np.sin(turn), Y * np.cos(turn) - X * np.sin(turn)
    wedge = (np.abs(across) <= (60 - along) / 20) & (np.abs(along) <= 60)
    assert of_lines(FLAT, wedge)["width"] == pytest.approx(6, abs=0.8)


@given(width=st.floats(2, 9), angle=st.floats(0, 180))
@examples(max_examples=20)
def test_a_straight_line_has_one_direction(width: float, angle: float) -> None:
    values = of_lines(FLAT, bar(width, angle, 200))
    assert 1 <= values["tortuosity"] < 1.02
    assert values["orientation"] < 10


def test_the_border_of_the_picture_narrows_no_crack() -> None:
    inside, crossing = of_lines(FLAT, bar(9, 0, 150)), of_lines(FLAT, bar(9, 0))
    assert crossing["width"] == pytest.approx(inside["width"], abs=0.3)
    along = bar(9, 0, aside=-(SIDE / 2) + 2)
    assert along[0].all() and of_lines(FLAT, along)["width"] > 6


@given(arms=st.integers(3, 5), width=st.floats(2, 9), turn=st.floats(0, 360))
@examples(max_examples=25)
def test_a_star_has_one_branch_point(arms: int, width: float, turn: float) -> None:
    mask = star(width, [turn + 360 * k / arms for k in range(arms)])
    lines = middle_lines(mask)
    assert lines.branches == 1
    assert sum(len(path) > 20 for path in lines.paths) == arms
    assert of_lines(FLAT, mask)["orientation"] > 35


def test_separate_forks_are_counted_apart() -> None:
    mask = bar(3, 0)
    for at in (-80, 0, 80):
        mask |= (np.abs(X - at) <= 1) & (Y >= 0) & (Y < 60)
    values = of_lines(FLAT, mask)
    assert middle_lines(mask).branches == 3
    assert values["branching"] == pytest.approx(100 * 3 / (SIDE + 180), rel=0.1)
    assert values["length"] * DIAGONAL == pytest.approx(SIDE + 180, rel=0.05)


@given(radius=st.floats(25, 100), width=st.floats(2, 8))
@examples(max_examples=20)
def test_a_circle_is_followed_all_around(radius: float, width: float) -> None:
    values = of_lines(FLAT, np.abs(np.hypot(X, Y) - radius) <= width / 2)
    assert values["length"] * DIAGONAL == pytest.approx(2 * np.pi * radius, rel=0.05)
    assert values["branching"] == 0
    assert values["tortuosity"] == pytest.approx(16 / (radius * np.sin(16 / radius)), abs=0.02)
    assert values["orientation"] == pytest.approx(40.5, abs=1.5)


def test_a_winding_line_is_more_tortuous() -> None:
    waves = [of_lines(FLAT, np.abs(Y - height * np.sin(X / 5)) <= 2)["tortuosity"] for height in (0, 4, 8)]
    assert waves[0] < 1.01 and waves[0] + 0.05 < waves[1] < waves[2] - 0.05


def pieces(mask: Mask) -> tuple[int, int]:
    """How many parts and how many holes a mask has."""
    parts, rest = (
        int(cv2.connectedComponents(np.pad(one, 1, constant_values=outside).astype(np.uint8), connectivity=ways)[0]) - 1
        for one, outside, ways in ((mask, False, 8), (~mask, True, 4))
    )
    return parts, rest - 1


@given(seed=st.integers(0, 999), share=st.floats(0, 1), blur=st.floats(0, 4))
@examples(max_examples=15)
def test_any_mask_can_be_measured(seed: int, share: float, blur: float) -> None:
    noise = np.random.default_rng(seed).standard_normal((60, 75)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), blur) if blur > 0.3 else noise
    mask = noise <= np.quantile(noise, share)
    lines = middle_lines(mask)
    assert not (lines.skeleton & ~mask).any()
    assert pieces(mask) == pieces(lines.skeleton)
    values = of_lines(noise, mask)
    assert values.keys() <= NAMES and np.isfinite(list(values.values())).all()
    assert values["fraction"] == pytest.approx(100 * mask.mean())
    turned = of_lines(noise.T, mask.T)
    assert turned["fraction"] == pytest.approx(values["fraction"])
    assert turned.get("contrast") == pytest.approx(values.get("contrast"), abs=1e-3)


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        (np.zeros((40, 40), bool), {"fraction"}),
        (np.ones((40, 40), bool), NAMES - {"contrast", "tortuosity"}),
        (np.pad([[True]], 20), {"fraction", "width", "contrast", "length"}),
    ],
)
def test_what_is_not_defined_is_left_out(mask: Mask, names: set[str]) -> None:
    values = of_lines(np.full(mask.shape, 90, np.float32), mask)
    # A full mask's middle line may be a single pixel.
    assert {"fraction"} <= values.keys() <= names


def test_contrast_is_of_the_ring_beyond_the_soft_edge() -> None:
    mask = bar(5, 30)
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    around = ring(mask)
    assert (away[around].min(), away[around].max()) == (pytest.approx(2.2, abs=0.2), pytest.approx(8, abs=0.2))
    gray = np.select([mask, away <= 2, away <= 8], [70, 100, 150], 240).astype(np.float32)
    assert of_lines(gray, mask)["contrast"] == pytest.approx(80)


# Without masks -----------------------------------------------------------------------------------------------------


@given(slope=st.floats(-3, 0), seed=st.integers(0, 99))
@examples(max_examples=15)
def test_the_slope_of_the_spectrum_is_found(slope: float, seed: int) -> None:
    assert of_background(noisy(np.random.default_rng(seed), slope))["slope"] == pytest.approx(slope, abs=0.25)


def test_fine_grain_is_told_from_broad_patches() -> None:
    rng = np.random.default_rng(3)
    fine, broad = (of_background(noisy(rng, slope)) for slope in (0, -3))
    # White noise spreads its power evenly over the square; the circle of broad waves takes little of it.
    assert fine["fine"] == pytest.approx(100 * (1 - np.pi / 64), abs=1)
    assert broad["fine"] < 40
    assert fine["gray"] == pytest.approx(130, abs=0.5) and fine["spread"] == pytest.approx(20, abs=0.5)
    frequency, power = spectrum(noisy(rng, 0))
    assert frequency.shape == power.shape and frequency.min() >= 1 / 64


def test_a_flat_picture_has_no_spectrum() -> None:
    values = measure(np.full((40, 50, 3), 128, np.uint8), None)
    assert values["picture.gray"] == 128 and values["lines.fraction"] == 0
    assert not {"picture.slope", "picture.fine"} & values.keys()


def test_dark_lines_are_found_without_a_mask() -> None:
    mask, grain = star(4, [20, 150, 260]), np.random.default_rng(5).normal(150, 6, (SIDE, SIDE)).astype(np.float32)
    cracked = cv2.GaussianBlur(grain - 60 * mask.astype(np.float32), (0, 0), 0.7)
    found = dark_lines(ridges(cracked))
    near = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert found[mask].mean() > 0.8 and (found & ~near).sum() < 0.1 * found.sum()
    assert not dark_lines(ridges(cv2.GaussianBlur(grain, (0, 0), 0.7))).any()
    assert not dark_lines(ridges(300 - cracked))[mask].any(), "light lines are none"


def test_a_spot_is_no_ridge() -> None:
    line, spot = (ridges(150 - 60 * mask.astype(np.float32)).max() for mask in (bar(5, 0), np.hypot(X, Y) <= 2.5))
    assert spot < 0.5 * line


# Sets --------------------------------------------------------------------------------------------------------------


def save(path: Path, array: NDArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def picture(k: int, dark: int = 60) -> tuple[NDArray[np.uint8], Mask]:
    """(96, 80, 3) grain with a dark line, and its mask."""
    grain = np.random.default_rng(k).normal(150, 8, (96, 80, 1)).repeat(3, axis=2)
    mask = np.zeros((96, 80), bool)
    mask[:, 30 + k % 20 : 34 + k % 20] = True
    return np.clip(grain - dark * mask[..., None], 0, 255).astype(np.uint8), mask


def make_set(folder: Path, count: int = 4, names: tuple[str, str] = ("img", "mask"), dark: int = 60) -> Path:
    for k in range(count):
        rgb, mask = picture(k, dark)
        save(folder / names[0] / f"{k}.png", rgb)
        save(folder / names[1] / f"{k}.png", mask.astype(np.uint8) * 255)
    return folder


def measured_all(folder: Path) -> Measured:
    pictures = open_set(folder)
    return measured(pictures, pictures.spread(None), lambda count: None)


@pytest.mark.parametrize("names", [("img", "mask"), ("images", "masks")])
def test_a_folder_with_masks_is_read(tmp_path: Path, names: tuple[str, str]) -> None:
    pictures = open_set(make_set(tmp_path / "a", 3, names))
    assert (pictures.labeled, pictures.size, pictures.left_out) == (True, 3, ())
    rgb, mask = picture(1)
    read = pictures.read(1)
    assert read.name == "1" and (read.rgb == rgb).all() and read.mask is not None and (read.mask == mask).all()


def test_pictures_without_masks_are_read_from_any_folder(tmp_path: Path) -> None:
    for file in ("p/one.png", "p/deep/two.png", "q/img/one.png"):
        save(tmp_path / file, picture(0)[0])
    below, beside = open_set(tmp_path / "p"), open_set(tmp_path / "q")
    assert (below.labeled, below.size, beside.labeled, beside.size) == (False, 2, False, 1)
    assert below.read(0).mask is None


@pytest.mark.parametrize(
    "stored",
    [
        lambda mask: mask.astype(np.uint8),
        lambda mask: mask.astype(np.uint16) * 65535,
        lambda mask: mask,
        lambda mask: np.dstack([mask * 0, mask * 255, mask * 0]).astype(np.uint8),
        lambda mask: np.where(mask, 200, 90).astype(np.uint8),
    ],
)
def test_masks_of_any_kind_are_read(tmp_path: Path, stored: Callable[[Mask], NDArray]) -> None:
    rgb, mask = picture(0)
    save(tmp_path / "img/0.png", rgb)
    save(tmp_path / "mask/0.png", stored(mask))
    read = open_set(tmp_path).read(0).mask
    assert read is not None and (read == mask).all()


def test_a_data_set_is_read(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", 4, classes=("crack", "mug"))
    pictures = open_set(tmp_path / "set")
    assert (pictures.labeled, pictures.size) == (True, 4)
    for k, frame in enumerate(dataset.frames()):
        read = pictures.read(k)
        assert (read.rgb == frame.rgb).all() and read.mask is not None and (read.mask == (frame.category == 1)).all()


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    make_set(tmp_path)
    rgb, mask = picture(9)
    save(tmp_path / "mask/alone.png", mask.astype(np.uint8))
    save(tmp_path / "img/bare.png", rgb)
    save(tmp_path / "img/other.png", rgb)
    save(tmp_path / "mask/other.png", np.zeros((50, 60), np.uint8))
    save(tmp_path / "img/small.png", rgb[:20])
    save(tmp_path / "mask/small.png", np.zeros((20, 80), np.uint8))
    save(tmp_path / "mask/broken.png", mask.astype(np.uint8))
    (tmp_path / "img/broken.png").write_bytes(b"\x89PNG no more")
    save(tmp_path / "img/again.png", rgb)
    save(tmp_path / "mask/again.png", mask.astype(np.uint8))
    (tmp_path / "mask/again.png").write_bytes((tmp_path / "mask/again.png").read_bytes()[:60])
    found = measured_all(tmp_path)
    assert found.pictures == 4
    reasons = {"alone": "has no picture", "bare": "has no mask", "other": "has 60 x 50 but its picture 80 x 96 pixels",
               "small": "at least 32 on each side are needed",
               "broken": "is not a picture", "again": "cannot be decoded"}  # fmt: skip
    assert len(found.left_out) == len(reasons)
    for name, reason in reasons.items():
        assert any(f"{name}.png" in line and reason in line for line in found.left_out), name
    assert "6 files left out" in "\n".join(table([found]))


def test_pictures_without_a_crack_are_counted(tmp_path: Path) -> None:
    make_set(tmp_path)
    save(tmp_path / "mask/0.png", np.zeros((96, 80), np.uint8))
    found = measured_all(tmp_path)
    assert (found.pictures, found.bare) == (4, 1)
    assert len(found.values["crack.fraction"]) == 4 and len(found.values["crack.width"]) == 3


def test_some_of_a_set_are_spread_over_it(tmp_path: Path) -> None:
    pictures = open_set(make_set(tmp_path, 5))
    assert pictures.spread(3) == [0, 2, 4]
    assert pictures.spread(9) == pictures.spread(None) == [0, 1, 2, 3, 4]


# Comparing ---------------------------------------------------------------------------------------------------------

SAMPLES = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=40).map(np.array)


@given(one=SAMPLES, other=SAMPLES)
def test_apart_is_the_largest_gap(one: NDArray, other: NDArray) -> None:
    gaps = [abs((one <= at).mean() - (other <= at).mean()) for at in range(-20, 21)]
    assert apart(one, other) == pytest.approx(max(gaps))
    assert apart(one, one) == 0 and apart(one, one + 100) == 1


def test_sets_are_compared(tmp_path: Path) -> None:
    ours, theirs = (measured_all(make_set(tmp_path / name, dark=dark)) for name, dark in (("a", 60), ("b", 30)))
    shift = as_json([ours, theirs])["apart"]
    assert shift["crack.contrast"] == 1 and shift["crack.width"] == 0
    assert [each.spread("crack.contrast")[0] for each in (ours, theirs)] == [
        pytest.approx(60, abs=2), pytest.approx(30, abs=2)
    ]  # fmt: skip
    lines = table([ours, theirs])
    assert sum(line.split()[:1] == ["contrast"] for line in lines) == 2, "by masks, and without"
    assert lines[0].split()[-1] == "apart"


def test_without_masks_only_what_needs_none_is_compared(tmp_path: Path) -> None:
    make_set(tmp_path / "a")
    ours, photos = measured_all(tmp_path / "a"), measured_all(make_set(tmp_path / "b") / "img")
    assert photos.bare is None and not any(key.startswith("crack.") for key in photos.values)
    shift = as_json([ours, photos])["apart"]
    assert shift and not any(key.startswith("crack.") for key in shift)
    assert set(shift.values()) == {0.0}, "they are the same pictures"
    assert {key.split(".")[0] for key in shift} == {"lines", "picture"}


def test_figures_show_every_quantity(tmp_path: Path) -> None:
    ours, photos = measured_all(make_set(tmp_path / "a")), measured_all(make_set(tmp_path / "b", dark=20) / "img")
    for number, sets in enumerate(([ours], [ours, photos], [photos])):
        write_figure(figure(sets), tmp_path / "new" / f"{number}.png")
        drawn = np.asarray(Image.open(tmp_path / "new" / f"{number}.png").convert("RGB"))
        assert drawn.shape[1] > 1000 and drawn.std() > 5
    assert figure([photos]).get_figheight() < figure([ours]).get_figheight()


def test_a_panel_shows_where_each_set_lies(tmp_path: Path) -> None:
    """Shares of one sum, the medians, what is known of photographs, and how far two sets are apart."""
    values = {"crack.width": np.array([2.0, 4, 4, 9]), "picture.gray": np.array([100.0, 120, 140, 160])}
    ours = Measured("$ours$", 4, 0, values, ())
    photos = Measured("photos", 2, 0, {"crack.width": np.array([6.0, 9])}, ())
    drawn = figure([ours, photos])
    (width, gray) = (axis for axis in drawn.axes if axis.axison)
    assert [width.get_title("left"), gray.get_title("left")] == ["crack: width (px)", "picture: gray"]
    assert [width.get_title("right"), gray.get_title("right")] == ["apart 0.75", ""]
    assert [sum(steps.get_data().values) for steps in width.patches] == [pytest.approx(1), pytest.approx(1)]
    lines = [line.get_xdata() for line in width.lines]
    assert [set(line) for line in lines[:2]] == [{4.0}, {7.5}], "the medians"
    assert [tuple(line) for line in lines[2:]] == [(2.4, 8.5), (4.4,)], "what is known of photographs"
    assert len(gray.lines) == 1
    (legend,) = drawn.legends
    told = [text.get_text() for text in legend.get_texts()]
    assert told[:2] == [r"\$ours\$ (4 pictures)", "photos (2 pictures)"] and "labeled by hand" in told[2]


def test_without_matplotlib_the_command_says_what_to_install(tmp_path: Path) -> None:
    """Before it measures anything; and it still measures where no figure is asked for."""
    script = "import sys; sys.modules['matplotlib'] = None; from render.cli.main import main; main(sys.argv[1:])"

    pictures = make_set(tmp_path / "a")

    def ended(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, "crack", "measure", str(pictures), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    found = ended("--out", tmp_path / "figure.png")
    assert found.returncode == 2 and found.stdout == "" and found.stderr.count("\n") == 1
    assert "needs the extra `train`" in found.stderr and "matplotlib" in found.stderr
    assert ended().returncode == 0


def test_a_sheet_has_a_block_for_each_set() -> None:
    red, blue = (np.full((40, 60, 3), color, np.uint8) for color in ((200, 0, 0), (0, 0, 200)))
    sheet = np.asarray(side_by_side([("ours", [red] * 4), ("photos", [blue] * 3)], columns=2, cell=32))
    half = sheet.shape[1] // 2
    reds, blues = ((sheet == color).all(axis=2) for color in ((200, 0, 0), (0, 0, 200)))
    assert reds.sum() == 4 * 32**2 and blues.sum() == 3 * 32**2
    assert not reds[:, half:].any() and not blues[:, :half].any()


# The commands ------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["crack", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command_prints_and_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ours, photos = make_set(tmp_path / "a"), make_set(tmp_path / "b") / "img"
    (photos / "broken.jpg").write_bytes(b"")
    code, out, err = run(capsys, "measure", ours, photos, "--out", tmp_path / "new/figure.png")
    assert code == 0 and "tortuosity" in out and "left out: " in err and "broken.jpg" in err
    assert Image.open(tmp_path / "new/figure.png").width > 1000
    code, out, _ = run(capsys, "measure", ours, "--images", 2, "--json")
    data = json.loads(out)
    assert code == 0 and [each["pictures"] for each in data["sets"]] == [2] and data["apart"] == {}
    assert data["sets"][0]["values"]["crack.width"]["median"] == pytest.approx(4, abs=0.5)
    code, out, _ = run(capsys, "sheet", ours, "--beside", photos, "--images", 4, "--out", tmp_path / "sheet.png")
    assert code == 0 and Image.open(tmp_path / "sheet.png").width > 4 * 160


def _empty(folder: Path) -> None:
    folder.mkdir()


def _masks_alone(folder: Path) -> None:
    make_set(folder)
    shutil.rmtree(folder / "img")


def _no_pair(folder: Path) -> None:
    save(folder / "img/a.png", picture(0)[0])
    save(folder / "mask/b.png", picture(0)[0])


def _all_broken(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda folder: None, "does not exist"),
        (lambda folder: folder.write_bytes(b""), "not a folder"),
        (_empty, "holds no picture"),
        (_masks_alone, "no img/ or images/"),
        (_no_pair, "no picture has a mask of its name"),
        (_all_broken, "no picture can be used"),
    ],
)
@pytest.mark.parametrize("command", ["measure", "sheet"])
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, made: Callable[[Path], object], words: str, command: str
) -> None:
    made(tmp_path / "set")
    code, out, err = run(capsys, command, tmp_path / "set", "--out", tmp_path / "sheet.png")
    assert (code, out) == (2, "") and words in err
    assert err.startswith("blendmill: ") and err.count("\n") == 1 and str(tmp_path) in err
    assert not (tmp_path / "sheet.png").exists()


def test_a_figure_is_a_png(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "measure", make_set(tmp_path / "a"), "--out", tmp_path / "figure.jpg")
    assert code == 2 and ".png" in err and err.count("\n") == 1


def test_a_picture_of_another_size_is_named(tmp_path: Path) -> None:
    make_set(tmp_path, 1)
    save(tmp_path / "mask/0.png", np.zeros((50, 60), np.uint8))
    with pytest.raises(InputError, match="60 x 50"):
        measured_all(tmp_path)


# Real pictures -----------------------------------------------------------------------------------------------------


def test_drawn_cracks_measure_as_published(shared: Path) -> None:
    pictures = open_set(shared / "cracks" / "peer_synthetic")
    assert pictures.labeled and pictures.size == 300
    found = measured(pictures, pictures.spread(12), lambda count: None)
    # Published are 3.2 px, from pixel center to pixel center. To the edges of the pixels it is half a pixel less.
    assert np.median(found.values["crack.width"]) == pytest.approx(2.7, abs=0.4)
    assert np.median(found.values["crack.contrast"]) == pytest.approx(55, abs=12)
