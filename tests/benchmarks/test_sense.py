"""The comparison of SENSE on scenes: what each variant may read, and its table from made-up figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.sense.__main__ import HERE, PRESET, REAL, RENDERED, SETS, VARIANTS, Parts, chains, rendering, table
from render.catalogue import open_catalogue
from scenes.config.loading import load_config as load_render
from scenes.config.objects import Config
from segment.config import SegmentConfig
from training.config import load_config


@pytest.mark.parametrize("parts", [RENDERED, REAL])
def test_each_variant_reads_the_labels_that_it_names_and_no_test_picture_is_learned_from(parts: Parts) -> None:
    sets = [rendering("partners", PRESET, 20, ("render.samples=1",))]
    ((*jobs,),) = chains([0, 1], "5%", HERE / "base.yaml", ["iterations=7"], sets, list(VARIANTS), parts)
    outs = [job.out for job in jobs]
    first = next(k for k, out in enumerate(outs) if out.startswith("figures/"))
    assert outs[0] == "partners" and len(outs) == len(set(outs)) == 1 + 2 * 2 * len(VARIANTS)
    assert all(out.startswith("runs/") for out in outs[1:first])
    for job in jobs[1:first]:
        changes = [word for word in job.words if "=" in word]
        config = load_config(SegmentConfig, HERE / "base.yaml", changes)
        variant, _, seed = job.out.split("/")[1].rpartition("-")
        labeled = [(part.where, part.split) for part in config.data.source]
        few = ("scenes", f"{parts.learned}/5%")
        assert labeled == {
            "all-labels": [("scenes", parts.learned)],
            "synthetic-labels": [few, ("partners", "all")],
        }.get(variant, [few])
        assert config.seed == int(seed) and config.data.source[0].split_seed in (config.seed, 0)
        target = config.data.target
        synthetic = ("partners", "all")
        assert (target and (target.where, target.split)) == {
            "own": ("scenes", parts.learned),
            "partners": synthetic,
            "partners-plain": synthetic,
        }.get(variant)
        assert config.method == ("sense" if target else "supervised") and config.iterations == 7
    where, split = parts.tested
    assert all(job.words[-3:] == (where, "--split", split) for job in jobs[first:])
    assert where == "test" or {split, parts.learned} == {"test", "adapt"}


def test_no_shape_and_no_light_is_in_two_sets() -> None:
    found: list[set[str]] = []
    for name in SETS:
        config = load_render(PRESET, [word for word in rendering(name, PRESET, 20, ()).words if "=" in word])
        assert isinstance(config, Config) and config.lighting.world.hdri is not None
        catalogue, lights = open_catalogue(config), set(config.lighting.world.hdri.support())
        assert len(lights) == len(SETS[name].lights) and lights <= set(catalogue.hdris)
        found.append({*catalogue.assets("mug"), *lights})
    assert len(set.union(*found)) == sum(map(len, found))


def test_the_table_compares_seed_by_seed_with_the_labels_alone(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    for variant, values in (("labels", (0.2, 0.3)), ("partners", (0.25, 0.32))):
        for seed, value in enumerate(values):
            figures = {"mean_iou": value, "mean_boundary_iou": value / 2, "pixel_accuracy": 0.9}
            (tmp_path / "figures" / f"{variant}-{seed}.json").write_text(json.dumps(figures))
    text = table(tmp_path, [0, 1], "5%", ["labels", "partners"])
    row = next(line for line in text.splitlines() if "synthetic partners" in line)
    assert "28.5 [25.0 to 32.0]" in row and row.endswith("| 3.5 [2.0 to 5.0] |")
