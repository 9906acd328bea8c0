"""The page in Chromium: filters, labels on their pixels, keys, hostile names, a long scroll, no complaint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from gallery.build import build
from gallery.sets import choose
from render.dataset.dataset import Dataset
from render.false_color import id_colors
from tests.frames import make_dataset
from tests.gallery.browser import Browser

HOSTILE = ('<img src=x onerror="alert(1)">', "a, b & 'c' = \"d\" 100%", "ключ 鍵 " + "long " * 30)
COUNT = 40
BARS = 32


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, str]:
    """A set whose classes have hostile names, and the address of its page."""
    folder = tmp_path_factory.mktemp("page")
    dataset = make_dataset(folder / "set", COUNT, 20, classes=HOSTILE)
    build(choose([folder / "set"], []), folder / "out", 512)
    return dataset, (folder / "out" / "index.html").as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_complaint(browser: Browser) -> Iterator[None]:
    """The console stays empty, and nothing is refused by the page's policy."""
    browser.told.clear()
    yield
    browser.ask("1")  # what was said before is read now
    assert browser.told == []


def shown(browser: Browser) -> int:
    return int(browser.ask("gallery.shown().length"))


def test_filters_give_the_counts_that_numpy_gives(page: tuple[Dataset, str], browser: Browser) -> None:
    dataset, address = page
    rows = dataset.pictures().factors()
    azimuth = np.array([row["camera.azimuth"] for row in rows], np.float32)
    classes = np.array([row["class"] for row in rows])
    chosen = HOSTILE[1].replace("%", "%25").replace(",", "%2C")
    browser.open(f"{address}#camera.azimuth=40..200&class={quote(chosen)}")
    keep = (azimuth >= 40) & (azimuth <= 200)
    browser.until("gallery.filters.size === 2")
    assert shown(browser) == int((keep & (classes == HOSTILE[1])).sum()) > 0
    # The histogram of a filtered factor counts what passes the other filters.
    counts = "(async t => Array.from(gallery.counts(t, await gallery.columnOf(t.name))))(gallery.factor('class'))"
    names = browser.ask("gallery.factor('class').names")
    truth = [int((keep & (classes == name)).sum()) for name in names]
    assert browser.ask(counts) == truth
    browser.ask("gallery.clear()")
    assert shown(browser) == COUNT


def histogram(browser: Browser) -> tuple[float, float, float, float]:
    """Where the histogram of the azimuth is, in pixels: left, top, width, height. It comes into sight."""
    browser.ask("document.getElementById('search').value = 'azimuth'")
    browser.ask("document.getElementById('search').dispatchEvent(new Event('input'))")
    browser.ask("document.querySelector('[data-name=\"camera.azimuth\"]').scrollIntoView()")
    return browser.box("[data-name='camera.azimuth'] svg")


def test_brushing_a_histogram_filters_and_the_address_holds_it(page: tuple[Dataset, str], browser: Browser) -> None:
    dataset, address = page
    browser.open(address)
    left, top, width, height = histogram(browser)
    browser.drag((left + width / 4, top + height / 2), (left + width / 2, top + 5), (left + 3 * width / 4, top + 9))
    value = browser.until("gallery.filters.get('camera.azimuth')?.value")
    azimuth = np.array([row["camera.azimuth"] for row in dataset.pictures().factors()], np.float32)
    span = float(azimuth.max() - azimuth.min())
    assert abs(value["low"] - (azimuth.min() + span / 4)) < span / 100
    assert abs(value["high"] - (azimuth.min() + 3 * span / 4)) < span / 100
    kept = int(((azimuth >= value["low"]) & (azimuth <= value["high"])).sum())
    assert browser.until("gallery.shown().length < 40 && gallery.shown().length") == kept
    browser.open(browser.ask("location.href"))
    browser.until("gallery.filters.size === 1")
    assert shown(browser) == kept


def test_a_brush_takes_the_whole_of_each_bar_that_it_touches(page: tuple[Dataset, str], browser: Browser) -> None:
    """Numbers of objects lie at the sides of their bars, where the middle of a bar would leave them out."""
    dataset, address = page
    browser.open(address)
    left, top, width, height = histogram(browser)
    ends = [left + width * (bar + 0.5) / BARS for bar in (4, 20)]
    browser.drag((ends[0], top + height / 2), (left + width / 2, top + 5), (ends[1], top + 9))
    value = browser.until("gallery.filters.get('camera.azimuth')?.value")
    azimuth = np.array([row["camera.azimuth"] for row in dataset.pictures().factors()], np.float32)
    low, span = float(azimuth.min()), float(azimuth.max() - azimuth.min())
    assert value == pytest.approx({"low": low + span * 4 / BARS, "high": low + span * 21 / BARS}, rel=1e-4)
    left, top, width, height = browser.box("[data-name='camera.azimuth'] svg")
    browser.drag((left + 3, top + 5), (left + width / 2, top + 5), (left + width - 3, top + 9))
    assert browser.until("gallery.filters.size === 0") and shown(browser) == COUNT


def test_a_label_lies_on_its_pixels(page: tuple[Dataset, str], browser: Browser) -> None:
    dataset, address = page
    browser.open(f"{address}#label=instance&mix=100&size=256")
    browser.until("[0, 1].every(k => document.querySelector(`#cell-${k} canvas`))")
    for place in (0, 1):
        left, top, width, height = browser.box(f"#cell-{place} canvas")
        seen = np.asarray(Image.open(BytesIO(browser.screenshot())).convert("RGB"))
        mask = dataset[place].instance  # 48 x 64 pixels, each some pixels of the screen wide and high
        scale = width / 64
        rows = np.round(top + (height - 48 * scale) / 2 + (np.arange(48) + 0.5) * scale - 0.5).astype(int)
        columns = np.round(left + (np.arange(64) + 0.5) * scale - 0.5).astype(int)
        picture = seen[rows][:, columns]
        colors = id_colors(mask)
        there = mask > 0
        assert there.any() and np.abs(picture.astype(int) - colors)[there].max() <= 2
        assert (picture != colors).any(axis=-1)[~there].all()


def test_boxes_and_keypoints_are_where_the_set_says(page: tuple[Dataset, str], browser: Browser) -> None:
    dataset, address = page
    browser.open(f"{address}#draw=boxes,points&open=3")
    browser.until("!!document.querySelector('.frame svg rect')")
    rectangle = "['x', 'y', 'width', 'height'].map(n => Number(r.getAttribute(n)))"
    found = browser.ask(f"[...document.querySelectorAll('.frame svg rect')].map(r => {rectangle})")
    boxes = [label.box for label in dataset[3].objects if label.box is not None]
    assert found == [[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in boxes]
    points = sum(len(label.keypoints) for label in dataset[3].objects)
    assert browser.ask("document.querySelectorAll('.frame svg circle').length") == points
    assert browser.until("document.getElementById('copy')?.previousSibling.textContent") == (
        "blendmill preview config.yaml --seed 0 --index 3 --images 1 --out picture-3.png"
    )


def test_hostile_names_are_text(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(f"{address}#open=0")
    browser.until("!!document.querySelector('#about table')")
    said = browser.ask("document.body.textContent")
    assert all(name in said for name in HOSTILE)
    assert browser.ask("document.querySelectorAll('img[src=x]').length") == 0
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth")


def test_inline_code_is_refused(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(address)
    browser.ask(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    browser.until_told()
    assert browser.ask("window.ran === undefined")
    assert len(browser.told) == 1 and "Content Security Policy" in browser.told.pop()


def test_keys_move_open_and_close(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(address)
    browser.ask("document.getElementById('grid').focus()")
    active = "document.getElementById('grid').getAttribute('aria-activedescendant')"
    for key, cell in (("ArrowRight", "cell-1"), ("End", f"cell-{COUNT - 1}"), ("ArrowLeft", f"cell-{COUNT - 2}")):
        browser.key(key)
        assert browser.until(f"{active} === '{cell}'")
    browser.key("Enter")
    assert browser.until("document.getElementById('large').open")
    browser.key("ArrowRight")
    assert browser.until(f"gallery.opened() === {COUNT - 1}")
    browser.key("Escape")
    browser.until("!document.getElementById('large').open")
    browser.until("document.activeElement.id === 'grid'")  # the page gets to know of it later
    browser.key("/")
    assert browser.until("document.activeElement.id === 'search'")
    browser.key("Escape")
    assert browser.until("document.activeElement.id === 'grid'")


def test_a_view_that_is_chosen_comes_out_from_under_the_panel(page: tuple[Dataset, str], browser: Browser) -> None:
    """On a narrow window the panel of factors covers the views."""
    _, address = page
    browser.open(address)
    browser.ask("document.getElementById('panel').click()")
    assert browser.ask("document.body.classList.contains('panel')")
    browser.ask("document.querySelector('[data-view=map]').click()")
    assert not browser.ask("document.body.classList.contains('panel')") and browser.ask("gallery.view()") == "map"


def test_a_lasso_on_the_map_chooses_what_it_surrounds(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(f"{address}#view=map")
    browser.until("document.querySelector('#map canvas').width > 300")
    places = np.array(browser.ask("gallery.column('map/places').then(p => Array.from(p))")).reshape(COUNT, 2)
    left, top, width, height = browser.box("#map canvas")
    # The left half, with a margin: a place is drawn 14 pixels within the border.
    middle = 14 + (0.5 + 0.05) / 1.1 * (width - 28)
    corners = [(2, 2), (middle, 2), (middle, height - 2), (2, height - 2)]
    # While the hand moves, the points are not drawn anew: a hundred thousand take most of a second.
    browser.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    browser.ask("gallery.drawMap()")
    browser.ask("window.fills = 0, CanvasRenderingContext2D.prototype.fill = () => (window.fills += 1), 0")
    browser.ask("addEventListener('pointerup', () => (window.before = window.fills), true)")
    browser.drag(*((left + x, top + y) for x, y in [*corners[:2]] * 30 + corners))
    assert browser.ask("window.before") == 0
    browser.until("gallery.filters.has('map')")
    assert browser.ask("gallery.shown()") == np.flatnonzero(places[:, 0] < 0.5).tolist()
    assert 0 < shown(browser) < COUNT


def test_the_legend_of_the_map_tells_groups_by_color_and_shape(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(f"{address}#view=map")
    browser.until("document.querySelectorAll('.legend path').length === 3")
    signs = "[...document.querySelectorAll('.legend path')].map(p => [p.getAttribute('fill'), p.getAttribute('d')])"
    colors, shapes = zip(*browser.ask(signs), strict=True)
    assert len(set(colors)) == len(set(shapes)) == 3
    names = browser.ask("[...document.querySelectorAll('.legend span')].map(s => s.textContent.trim())")
    assert sorted(names) == sorted(name.strip() for name in HOSTILE)


def test_a_rectangle_of_the_map_is_chosen_with_keys_and_announced(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(f"{address}#view=map")
    browser.until("document.querySelector('#map canvas').width > 300")
    places = np.array(browser.ask("gallery.column('map/places').then(p => Array.from(p))")).reshape(COUNT, 2)
    browser.ask("document.querySelector('#map canvas').focus()")
    said = "document.getElementById('area-said').textContent"
    browser.key("Enter")  # a corner in the middle
    for key in ["ArrowRight", "ArrowDown"] * 10:
        browser.key(key)
    inside = (places[:, 0] >= 0.5) & (places[:, 0] <= 0.7) & (places[:, 1] <= 0.5) & (places[:, 1] >= 0.3)
    browser.until(f"{said}.includes('Cross at 70 % from the left, 30 % from below; {inside.sum()} pictures')")
    for _ in range(20):
        browser.key("ArrowRight")  # it ends at the border
        browser.key("ArrowDown")
    browser.key("Enter")
    browser.until("gallery.filters.has('map')")
    quarter = np.flatnonzero((places[:, 0] >= 0.5) & (places[:, 1] <= 0.5)).tolist()
    assert browser.ask("gallery.shown()") == quarter and 0 < len(quarter) < COUNT
    browser.until(f"{said} === '{len(quarter)} pictures lie in the rectangle; {len(quarter)} are shown.'")
    again = browser.until("location.hash.includes('area=') && location.href")
    browser.key("Escape")
    assert browser.until("gallery.filters.size === 0") and shown(browser) == COUNT
    browser.open(again)
    browser.until("gallery.filters.has('map')")
    assert browser.ask("gallery.shown()") == quarter
    browser.ask("document.querySelector('#map canvas').focus()")
    browser.key(" ")
    middle = min(quarter, key=lambda place: float(((places[place] - 0.5) ** 2).sum()))
    assert browser.until("gallery.opened() >= 0 && [gallery.opened()]") == [middle]


def test_a_rectangle_of_the_map_is_chosen_by_typed_bounds(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(f"{address}#view=map")
    browser.until("document.querySelector('#map canvas').width > 300")
    places = np.array(browser.ask("gallery.column('map/places').then(p => Array.from(p))")).reshape(COUNT, 2)
    browser.ask("document.querySelectorAll('.area input')[1].value = '40'")
    browser.ask("document.querySelector('.area').requestSubmit()")
    browser.until("gallery.filters.has('map')")
    assert browser.ask("gallery.shown()") == np.flatnonzero(places[:, 0] <= 0.4).tolist()
    values = "[...document.querySelectorAll('.area input')].map(i => i.value)"
    assert browser.until(f"{values}[1] === '40' && {values}") == ["0", "40", "0", "100"]


def test_pictures_that_look_alike_are_beside_a_large_one(page: tuple[Dataset, str], browser: Browser) -> None:
    _, address = page
    browser.open(f"{address}#open=2")
    assert browser.until("document.querySelectorAll('#about .thumbs img').length") <= 8
    browser.ask("document.querySelector('#about .thumbs button').click()")
    assert browser.until("gallery.opened() !== 2")


def test_twenty_thousand_pictures_scroll_to_the_end(
    page: tuple[Dataset, str], browser: Browser, tmp_path: Path
) -> None:
    """The page of forty pictures, told to be one of 20,000 whose scripts all hold the same pictures."""
    count, per = 20_000, COUNT
    source = Path(page[1].removeprefix("file://")).parent
    shutil.copytree(source, tmp_path / "out")
    data = tmp_path / "out" / "data"
    index = json.loads((data / "index.js").read_text()[len('gallery.take("index",') : -3])
    index |= {"count": count, "per": per, "factors": [], "map": None}
    index["sets"][0] |= {"count": count, "runs": [[0, count]]}
    (data / "index.js").write_text(f'gallery.take("index",{json.dumps(index)});')
    first = (data / "0" / "rgb" / "0.js").read_text()
    for chunk in range(count // per):
        (data / "0" / "rgb" / f"{chunk}.js").write_text(first.replace('"0/rgb/0"', f'"0/rgb/{chunk}"'))
    browser.open((tmp_path / "out" / "index.html").as_uri())
    browser.ask("document.getElementById('grid').scrollTop = 1e9")
    last = browser.until(f"document.getElementById('cell-{count - 1}')?.querySelector('img')?.complete")
    assert last and browser.ask("document.querySelectorAll('.cell').length") < 200
    bottom = browser.box(f"#cell-{count - 1}")
    assert bottom[1] + bottom[3] <= 800
