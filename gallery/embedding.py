"""The map of a page: where pictures lie by their features, which lie near each other, and where renders are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree

from gallery.columns import Columns
from gallery.gathering import Gathered
from gallery.judging import Judged
from gallery.sets import Chosen
from scenes.errors import InputError
from training.data.description import NAME
from training.gaps import gaps

SEED = 0
KEPT = 16
"""Directions of the features that are kept, those in which pictures differ most."""

METHODS = ("pca", "umap")

_FAR = 95
"""A photograph is far from the renders where its nearest is farther than that of so many percent of renders."""
_HOLES, _SHOWN, _NEAR, _DIFFERING = 8, 12, 6, 4


def map_of(
    found: Gathered, sets: Sequence[Chosen], method: str, judged: Judged | None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The map as data/index.js tells it, and its columns by name: places (2 N,) float32, vectors (N `KEPT`,) int8.

    judged: what a network says, whose features are taken. A picture that cannot be read has no place (NaN). Raises
    InputError where the package that `method` needs is not there.
    """
    features, name = (found.features, NAME) if judged is None else (judged.features, f"network of {judged.run}")
    readable = np.isfinite(features[:, 0])
    vectors = np.zeros((len(features), min(KEPT, features.shape[1])), np.float32)
    places = np.full((len(features), 2), np.nan, np.float32)
    if readable.any():
        vectors[readable] = principal(features[readable])
        places[readable] = flat(vectors[readable], method)
    photos = np.concatenate([np.full(len(one.indices), one.photos) for one in sets])
    levels = np.round(vectors / max(float(np.abs(vectors).max()), 1e-9) * 127).astype(np.int8)
    found_holes = holes(vectors, photos, readable, found.columns)
    told = {"method": method, "features": name, "size": vectors.shape[1], "holes": found_holes}
    return told, {"map/places": places.ravel(), "map/vectors": levels.ravel()}


def principal(features: NDArray[np.floating], kept: int = KEPT) -> NDArray[np.float32]:
    """The features (N, d) along their first principal directions: (N, min(kept, d)) float32, centered."""
    centered = features.astype(np.float32) - features.astype(np.float32).mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered / max(len(centered), 1))
    axes = directions[:, ::-1][:, :kept]
    # An axis has no sign of its own; with one, the same pictures give the same map.
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    return np.asarray(centered @ axes, np.float32)


def flat(vectors: NDArray[np.float32], method: str) -> NDArray[np.float32]:
    """Places (N, 2) of vectors on the map, each axis from 0 to 1. method: one of `METHODS`.

    "pca" takes the first two principal directions. "umap" keeps neighbors together (McInnes et al., 2018), with a fixed
    seed. Raises InputError where the package umap-learn is missing.
    """
    places = vectors[:, :2] if method == "pca" else _umap(vectors)
    if places.shape[1] < 2:
        places = np.column_stack([places, np.zeros(len(places))])
    low, high = np.percentile(places, (0.5, 99.5), axis=0)
    return np.clip((places - low) / np.maximum(high - low, 1e-9), -0.05, 1.05).astype(np.float32)


def _umap(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    try:
        from umap import UMAP
    except ModuleNotFoundError:
        remedy = "in blendmill's checkout: pip install -e '.[map]'; or give --map pca"
        raise InputError(f"--map umap: the package umap-learn is missing; {remedy}") from None
    neighbors = min(15, len(vectors) - 1)
    return np.asarray(UMAP(n_neighbors=neighbors, random_state=SEED, n_jobs=1).fit_transform(vectors), np.float32)


def holes(
    vectors: NDArray[np.float32], photos: NDArray[np.bool_], readable: NDArray[np.bool_], columns: Columns
) -> list[dict[str, Any]]:
    """Photographs that are far from every render, in groups, the largest first.

    vectors: (N, d). photos: (N,), which of them are photographs. readable: (N,). Each group has `photos` and `near`,
    the renders that are nearest, as numbers of pictures; `distance`, the mean to the nearest render, as a multiple of
    the usual one of renders; `factors`, in which the nearest renders differ from all; and `lacking`, the looks of the
    photographs that are not among the renders (`training.gaps`).
    """
    renders, pictures = np.flatnonzero(~photos & readable), np.flatnonzero(photos & readable)
    if len(renders) < 3 or not len(pictures):
        return []
    tree = cKDTree(vectors[renders])
    sample = renders[:: max(1, len(renders) // 2000)]
    usual = np.percentile(tree.query(vectors[sample], 2)[0][:, 1], _FAR)
    distances = tree.query(vectors[pictures])[0] / max(usual, 1e-9)
    far = pictures[distances > 1]
    if not len(far):
        return []
    groups = min(_HOLES, 1 + len(far) // _SHOWN)
    _, labels = kmeans2(vectors[far].astype(np.float64), groups, seed=SEED, minit="++")
    found = []
    for group in range(groups):
        members = far[labels == group]
        if not len(members):
            continue
        center = vectors[members].mean(axis=0)
        order = members[np.argsort(np.linalg.norm(vectors[members] - center, axis=1), kind="stable")]
        near = renders[np.atleast_1d(tree.query(center, min(_NEAR * 4, len(renders)))[1])]
        found.append({
            "count": len(members),
            "photos": order[:_SHOWN].tolist(),
            "near": near[:_NEAR].tolist(),
            "distance": round(float(distances[np.isin(pictures, members)].mean()), 2),
            "factors": list(_differing(columns, near, renders)),
            "lacking": [gap.told() for gap in gaps(columns.looks(), members, renders)],
        })  # fmt: skip
    return sorted(found, key=lambda hole: -hole["count"])


def _differing(columns: Columns, near: NDArray[np.int64], renders: NDArray[np.int64]) -> Iterator[Mapping[str, Any]]:
    """The numbers whose mean in some pictures is most standard deviations away from that in all."""
    told: list[tuple[float, str, float, float]] = []
    for name, values in columns.numbers().items():
        ours, all_ = values[near], values[renders]
        ours, all_ = ours[np.isfinite(ours)], all_[np.isfinite(all_)]
        if len(ours) >= len(near) / 2 and len(all_) and (spread := float(all_.std())) > 0:
            mean, usual = float(ours.mean()), float(all_.mean())
            told.append(((mean - usual) / spread, name, mean, usual))
    for away, name, mean, usual in sorted(told, key=lambda one: -abs(one[0]))[:_DIFFERING]:
        yield {"name": name, "near": mean, "all": usual, "away": round(away, 2)}
