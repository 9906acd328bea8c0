"""S2RDA's configs and the table of its benchmark."""

from pathlib import Path

import pytest

from benchmarks.s2rda import __main__ as s2rda
from classify.config import load_training
from tests.training.test_s2rda import copy
from training.data.s2rda import BENCHMARKS, SYNTHETIC

TINY = (
    "model=resnet18", "weights=null", "size=32", "batch=4", "iterations=2", "evaluate_every=0", "data.holdout=0.34",
    "data.workers=0", "precision=fp32", "report=false", "device=cpu",
)  # fmt: skip


@pytest.mark.parametrize("benchmark", s2rda.PUBLISHED)
def test_configs_are_the_authors(benchmark: str) -> None:
    config = load_training(s2rda.HERE / f"{benchmark}.yaml")
    classes = len(BENCHMARKS[s2rda.COPIES[benchmark].removeprefix("S2RDA-")])
    assert config.iterations == 20 * (classes * SYNTHETIC // config.batch)
    assert config.iterations % config.evaluate_every == 0
    assert {part.where for part in (*config.data.source, config.data.target, config.data.test) if part} == {
        s2rda.COPIES[benchmark]
    }
    assert config.select_by != "oracle"


@pytest.mark.slow
def test_its_methods_run_and_come_out_beside_what_is_published(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    copy(tmp_path / "S2RDA-49")
    for job in s2rda.jobs("s2rda49", ("source", "mcd", "srdc"), TINY):
        job.run(tmp_path)
    mcd = load_training(tmp_path / "runs" / "s2rda49-mcd" / "config.yaml")
    assert mcd.method == "mcd" and mcd.optimizer.lr == 1e-3
    assert load_training(tmp_path / "runs" / "s2rda49-srdc" / "config.yaml").bottleneck == 128
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in s2rda.table(tmp_path).splitlines()[2:]]
    assert len(rows) == 12
    run = {row[1] for row in rows if row[3] != "not run"}
    assert run == {"source", "mcd", "srdc"}
    assert rows[0][:3] == ["S2RDA-49", "source", "51.89 / 42.19"]
    assert rows[-1] == ["S2RDA-MS-39", "disclusterda", "27.14 / 25.33", "not run", ""]
