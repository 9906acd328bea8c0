"""The S2R-13 benchmark: its configs, its jobs, its table."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks.s2r13 import __main__ as s2r13
from classify.config import load_training
from classify.methods.catalogue import METHODS
from classify.validators import VALIDATORS
from scenes.config.loading import load_config
from scenes.shapes.registry import GENERATORS
from training.run_folder import Folder
from training.studies import Job, settings


def test_configs_are_valid() -> None:
    sets = {name: load_config(str(s2r13.HERE / f"{name}.yaml")) for name in s2r13.SETS}
    assert len({config.camera.resolution for config in sets.values()}) == 1
    for name in GENERATORS:
        full, visda = (sets[kind].of_class(name) for kind in ("full", "visda"))
        assert full.objects.side == visda.objects.side
        for factor in ("azimuth", "elevation", "roll"):
            assert getattr(full.camera, factor) == getattr(visda.camera, factor)
    for name in ("source", "adapt"):
        config = load_training(s2r13.HERE / f"{name}.yaml")
        assert config.data.target is not None and config.data.target.split == "adapt"
        assert config.data.test is not None and config.data.test.split == "test"
        assert config.select_by != "oracle"


@pytest.mark.parametrize("job", [*s2r13.training(4), *s2r13.adapting(METHODS, 4)], ids=lambda job: job.out)
def test_jobs_are_what_the_commands_take(job: Job) -> None:
    command, config, *words = job.words
    settings = [words[k + 1] for k, word in enumerate(words) if word == "--set"]
    if "--method" in words:
        settings.append(f"method={words[words.index('--method') + 1]}")
    loaded = load_training(Path(config), settings)
    assert loaded.seed == 4 and f"{loaded.method}-4" in (job.out.removeprefix("runs/"), "source-4")
    assert loaded.augment == "weak"
    assert command == ("train" if loaded.weights is None else "adapt")


def test_table_ranks_methods_by_recall(tmp_path: Path) -> None:
    recalls = {"visda": 0.1, "full": 0.3, "real": 0.7, "mcc": 0.35, "shot": 0.4}
    for name, recall in recalls.items():
        for seed in range(2):
            folder = tmp_path / "runs" / f"{name}-{seed}"
            folder.mkdir(parents=True)
            test = {"accuracy": recall, "mean_recall": recall + 0.02 * seed, "mean_recall_over_chance": recall - 0.05}
            results = {
                "test": test,
                "selected": {"step": 100},
                "history": [
                    {"step": 50, **dict.fromkeys(VALIDATORS, 9.0)},
                    {"step": 100, **dict.fromkeys(VALIDATORS, 2.0), "snd": 4.0, "dev": -1.5, "entropy": -recall},
                ],
                "seconds": 90.0,
            }
            (folder / "results.json").write_text(json.dumps(results))
    lines = s2r13.table(tmp_path, ["mcc", "shot", "mdd"], range(3)).splitlines()
    assert "25.0 with all factors and 5.0 with camera and light alone. The ratio is 5.00 (5.00 to 5.00 for" in lines[0]
    assert [line.split("|")[1].strip() for line in lines[-4:-2]] == ["shot", "mcc"]
    assert [cell.strip() for cell in lines[-4].split("|")[2:11]] == [
        "2",
        "40.0 [40.0 to 40.0]",
        "41.0 [40.0 to 42.0]",
        "+10.0",
        "2.0000",
        "4.000",
        "-1.50",
        "100, 100",
        "1.5",
    ]
    chosen = ", ".join(f"{validator} chooses mcc" for validator in ("source", "im", "bnm", "snd", "dev", "entropy"))
    assert lines[-1] == f"On the seeds that all methods have run (0, 1), the validator {chosen}."
    (tmp_path / "runs" / "mcc-1" / "results.json").unlink()
    (tmp_path / "runs" / "shot-0" / "results.json").unlink()
    assert s2r13.table(tmp_path, ["mcc", "shot"], range(2)).endswith("No seed was run with all methods.")


def test_a_job_that_fails_says_where(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(click.ClickException, match=r"runs/x: exit \d+, see .*runs-x.log"):
        Job("runs/x", ("render", "no-such.yaml")).run(tmp_path)
    assert "no-such.yaml" in (tmp_path / "runs-x.log").read_text()


def test_a_job_that_is_done_is_not_run_again_and_no_other_runs_in_its_place(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("{data: {source: [{where: nowhere}]}, report: false}")
    folder = Folder(tmp_path / "runs" / "x")
    folder.claim(load_training(config))
    selected = {"step": 3, "statement": "the last"}
    folder.save_results({"selected": selected, "test": None, "history": [{"step": load_training(config).iterations}]})
    Job("runs/x", ("train", "c.yaml")).run(tmp_path)
    assert "runs/x: step 3, the last" in (tmp_path / "runs-x.log").read_text()
    with pytest.raises(click.ClickException, match="runs/x: exit 2"):
        Job("runs/x", ("train", "c.yaml", *settings("seed=1"))).run(tmp_path)
    assert "holds a run with another config, field seed: 0 there, 1 now" in (tmp_path / "runs-x.log").read_text()


def test_a_method_that_is_none_is_told_before_anything_is_done(tmp_path: Path) -> None:
    told = CliRunner().invoke(
        s2r13.main, ["--photos", str(tmp_path), "--work", str(tmp_path / "w"), "--methods", "dan,mc"]
    )
    assert told.exit_code == 2 and "unknown method 'mc'" in told.output and not (tmp_path / "w").exists()


def test_each_chain_begins_with_the_renders_and_adapts_what_its_seed_trained() -> None:
    chains = s2r13.chains(0.1, 2, ["mcc", "dann"], range(2))
    renders = [f"s2r13/{name}" for name in s2r13.SETS]
    assert all([job.out for job in chain][: len(renders)] == renders for chain in chains)
    rest = [[job.out for job in chain][len(renders) :] for chain in chains]
    assert [outs for outs in rest if len(outs) == 2] == [
        [f"runs/full-{seed}", f"runs/{method}-{seed}"] for seed in range(2) for method in ("mcc", "dann")
    ]
    assert sorted(outs[0] for outs in rest if len(outs) == 1) == sorted(
        f"runs/{name}-{seed}" for name in s2r13.BASELINES for seed in range(2)
    )
