"""The comparison of SENSE on scenes: what each variant may read, and its table from made-up figures."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.sense.__main__ import HERE, VARIANTS, chains, rendering, table
from segment.config import SegmentConfig
from training.config import load_config


def test_each_variant_reads_the_labels_that_it_names_and_no_test_picture_is_learned_from() -> None:
    sets = [rendering("partners", "tabletop-dense", 20, ("render.samples=1",))]
    ((*jobs,),) = chains([0, 1], "5%", HERE / "base.yaml", 7, sets, list(VARIANTS))
    outs = [job.out for job in jobs]
    first = next(k for k, out in enumerate(outs) if out.startswith("figures/"))
    assert outs[0] == "partners" and len(outs) == len(set(outs)) == 1 + 2 * 2 * 5
    assert all(out.startswith("runs/") for out in outs[1:first])
    for job in jobs[1:first]:
        changes = [word for word in job.words if "=" in word]
        config = load_config(SegmentConfig, HERE / "base.yaml", changes)
        variant = job.out.split("/")[1].rpartition("-")[0]
        labeled = [(part.where, part.split) for part in config.data.source]
        few = ("scenes", "adapt/5%")
        assert labeled == {
            "all-labels": [("scenes", "adapt")],
            "synthetic-labels": [few, ("partners", "all")],
        }.get(variant, [few])
        target = config.data.target
        assert (target and (target.where, target.split)) == {
            "own": ("scenes", "adapt"),
            "partners": ("partners", "all"),
        }.get(variant)
        assert config.method == ("sense" if target else "supervised") and config.iterations == 7
    assert all(job.words[-1] == "test" for job in jobs[first:])


def test_the_table_compares_seed_by_seed_with_the_labels_alone(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    for variant, values in (("labels", (0.2, 0.3)), ("partners", (0.25, 0.32))):
        for seed, value in enumerate(values):
            figures = {"mean_iou": value, "mean_boundary_iou": value / 2, "pixel_accuracy": 0.9}
            (tmp_path / "figures" / f"{variant}-{seed}.json").write_text(json.dumps(figures))
    text = table(tmp_path, [0, 1], "5%", ["labels", "partners"])
    row = next(line for line in text.splitlines() if "synthetic partners" in line)
    assert "28.5 [25.0 to 32.0]" in row and row.endswith("| 3.5 [2.0 to 5.0] |")
