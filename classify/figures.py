"""The figures of a report. Each function returns a matplotlib Figure; `png` converts it to a PNG file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from classify.attention import Look
from training.config import ORACLE
from training.selection import COLLAPSED, best

SOURCE, TARGET, CHOSEN, WARNING = "#1f77b4", "#e6550d", "#2ca02c", "#b02020"
_FEW = 20


def png(figure: Figure, dpi: int = 110) -> bytes:
    """The bytes of a PNG file of a figure."""
    FigureCanvasAgg(figure)
    # Class names are plain text. Without this, a dollar sign would start a formula.
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi, format="png", bbox_inches="tight")
    return file.getvalue()


def picture(pixels: NDArray[np.uint8]) -> bytes:
    """The bytes of a PNG file of a picture (H, W, 3)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def curves(log: Sequence[Mapping[str, Any]]) -> Figure:
    """Plot loss and its terms, learning rate, speed and data wait over the steps. log: records of kind `train`."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = list(figure.subplots(2, 2).flat)
    steps = [entry["step"] for entry in log]
    terms = [key for key in log[0] if key.startswith("loss/")]
    for name in ["loss", *terms] if len(terms) > 1 else ["loss"]:
        style: dict[str, Any] = {"lw": 1.8, "color": "black"} if name == "loss" else {"lw": 1, "alpha": 0.8}
        label = "sum" if name == "loss" else name.removeprefix("loss/")
        axes[0].plot(steps, [entry.get(name, np.nan) for entry in log], label=label, **style)
    if len(terms) > 1:
        axes[0].legend(fontsize=8)
    _titled(axes[0], f"loss: {terms[0].removeprefix('loss/')}" if len(terms) == 1 else "loss", "step")
    others = {
        "lr": "learning rate",
        "images_per_second": "images per second",
        "data_wait": "share of time spent waiting for data",
    }
    for axis, (key, title) in zip(axes[1:], others.items(), strict=True):
        axis.plot(steps, [entry[key] for entry in log], color=SOURCE)
        axis.set_ylim(bottom=0)
        _titled(axis, title, "step")
    axes[3].set_ylim(top=1)
    return figure


def validators(history: Sequence[Mapping[str, float]], names: Mapping[str, str], step: int) -> Figure:
    """Plot each figure of the evaluations over the steps. names: titles by key.

    A ring marks the best checkpoint by each figure, a cross a collapsed one, and a band the selected step. The oracle
    has its own color.
    """
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.5 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    steps = [entry["step"] for entry in history]
    for axis, (key, name) in zip(axes, names.items(), strict=False):
        values = [entry.get(key, np.nan) for entry in history]
        highest = best(history, key)
        axis.axvline(step, color=CHOSEN, alpha=0.5, lw=3)
        axis.plot(steps, values, marker=".", color=WARNING if key == ORACLE else SOURCE)
        axis.plot(steps[highest], values[highest], marker="o", ms=9, mfc="none", color="black")
        fallen = [i for i, entry in enumerate(history) if entry.get(COLLAPSED)]
        axis.plot([steps[i] for i in fallen], [values[i] for i in fallen], "x", color="black")
        _titled(axis, name, "step")
        axis.ticklabel_format(axis="y", useOffset=False)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    return figure


def confusion(matrix: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """Plot a confusion matrix of counts (k, k), as shares of each true class. Few classes also show the counts."""
    count = len(classes)
    side = min(3 + 0.42 * count, 14)
    figure, (axis,) = _row(1, side + 1, side)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(share, vmin=0, vmax=1, cmap="Blues")
    figure.colorbar(image, ax=axis, fraction=0.04, label="share of the true class")
    size = 8 if count <= _FEW else 6
    axis.set_xticks(range(count), classes, rotation=90, fontsize=size)
    axis.set_yticks(range(count), classes, fontsize=size)
    if count <= _FEW:
        for (i, j), n in np.ndenumerate(matrix):
            if n:
                axis.text(
                    j, i, str(n), ha="center", va="center", fontsize=7, color="white" if share[i, j] > 0.5 else "black"
                )
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    return figure


def reliability(bins: Sequence[Mapping[str, float]], ece: float) -> Figure:
    """Plot accuracy over confidence and the number of pictures, for bins of `classify.metrics.reliability`."""
    figure = Figure(figsize=(4.4, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    begins, widths = [b["from"] for b in bins], [b["to"] - b["from"] for b in bins]
    upper.bar(begins, [b["accuracy"] for b in bins], widths, align="edge", color=SOURCE, edgecolor="white")
    upper.plot(
        [b["confidence"] for b in bins], [b["accuracy"] for b in bins], "o", ms=4, color="black", label="mean of a bin"
    )
    upper.plot([0, 1], [0, 1], "--", color="gray", lw=1, label="calibrated")
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy", title=f"calibration error (ECE) {ece:.1%}")
    upper.legend(fontsize=8, loc="upper left")
    lower.bar(begins, [b["pictures"] for b in bins], widths, align="edge", color="#999999", edgecolor="white")
    lower.set(xlabel="confidence", ylabel="pictures")
    return figure


def features(
    source: NDArray[np.float32],
    target: NDArray[np.float32],
    source_classes: NDArray[np.int64],
    target_classes: NDArray[np.int64],
    classes: Sequence[str],
    *,
    most: int = 400,
    seed: int = 0,
) -> Figure:
    """Plot a joint t-SNE of the features (n, d) and (m, d) of two domains, colored by domain and by class.

    It shows up to `most` random pictures of each domain. Together there must be at least four.
    """
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(len(x))[:most] for x in (source, target)]
    places = _tsne(np.concatenate([source[drawn[0]], target[drawn[1]]]), seed)
    kinds = np.concatenate([source_classes[drawn[0]], target_classes[drawn[1]]])
    ours = np.arange(len(places)) < len(drawn[0])
    figure, (left, right) = _row(2, 5.6, 4.8)
    palette = colormaps["tab20" if len(classes) <= _FEW else "turbo"]
    colors = palette(np.arange(len(classes)) if len(classes) <= _FEW else np.linspace(0, 1, len(classes)))
    for here, color, mark, name in ((ours, SOURCE, "o", "source"), (~ours, TARGET, "^", "target")):
        options: dict[str, Any] = {"s": 16, "marker": mark, "linewidths": 0, "alpha": 0.75}
        left.scatter(*places[here].T, color=color, label=f"{name}, {here.sum()} pictures", **options)
        right.scatter(*places[here].T, color=colors[kinds[here]], **options)
    left.legend(fontsize=8)
    if len(classes) <= _FEW:
        for place, name in enumerate(classes):
            right.scatter([], [], color=colors[place], label=name, s=16)
        right.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    for axis, title in ((left, "by domain"), (right, "by class (circles: true, triangles: predicted)")):
        axis.set_title(title, fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
    return figure


def attention(look: Look, classes: Sequence[str], columns: int = 6) -> Figure:
    """Show each picture, the same picture under its attention map, and predicted and true class."""
    count = len(look.pictures)
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(2.1 * columns, 4.5 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    sure, said = look.probabilities.max(1)
    for i in range(count):
        above, below = axes[2 * (i // columns), i % columns], axes[2 * (i // columns) + 1, i % columns]
        picture, weight = look.pictures[i].numpy(), look.maps[i].numpy()
        label = int(look.labels[i])
        right = None if label < 0 else label == int(said[i])
        color = {None: "black", True: "#2c7a2c", False: WARNING}[right]
        true = "" if right is None or right else f"\ntrue: {classes[label]}"
        above.set_title(f"{classes[int(said[i])]} {float(sure[i]):.0%}{true}", fontsize=9, color=color)
        above.imshow(picture)
        below.imshow(overlay(picture, weight))
    return figure


def overlay(picture: NDArray[np.uint8], weight: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay the colors of a map (h, w) in [0, 1] over a gray version of a picture (h, w, 3) uint8."""
    gray = picture.astype(np.float64).mean(axis=2, keepdims=True)
    color = colormaps["turbo"](weight)[..., :3] * 255
    share = 0.65 * weight[..., None]
    return ((1 - share) * gray + share * color).round().astype(np.uint8)


def _tsne(x: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """t-SNE coordinates (n, 2) of features (n, d), with n at least 4."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if min(x.shape) > 50:
        x = PCA(50, random_state=seed).fit_transform(x)
    perplexity = min(30.0, (len(x) - 1) / 3)
    return TSNE(perplexity=perplexity, init="random", random_state=seed).fit_transform(x.astype(np.float64))


def _row(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _titled(axis: Axes, title: str, x: str) -> None:
    axis.set_title(title, fontsize=10)
    axis.set_xlabel(x, fontsize=8)
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.3)
