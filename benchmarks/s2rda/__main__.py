"""S2RDA's adaptation benchmark: run its six methods on your copies, and show the authors' published figures beside.

    python -m benchmarks.s2rda --work DIR [--method NAME ...] [--set KEY=VALUE ...]

DIR holds the copies, S2RDA-49 and S2RDA-MS-39. Check them with `python -m benchmarks.s2rda.check`. A missing copy is
left out. Runs stay in DIR/runs, and the same command, run again, goes on. The table goes to benchmarks/s2rda.md.
"""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from benchmarks.common import record
from benchmarks.common import table as markdown
from training.studies import Job, results, run_chains, settings

HERE = Path(__file__).parent
PUBLISHED: dict[str, dict[str, tuple[float, float]]] = yaml.safe_load((HERE / "published.yaml").read_text())
COPIES = {"s2rda49": "S2RDA-49", "s2rda-ms-39": "S2RDA-MS-39"}
# Settings of the authors that differ between methods.
OWN = {"mcd": ("optimizer.lr=1e-3",), "srdc": ("bottleneck=128",)}


def jobs(benchmark: str, methods: tuple[str, ...], overrides: tuple[str, ...]) -> list[Job]:
    """A run for each method."""
    config = ("adapt", str(HERE / f"{benchmark}.yaml"))
    return [
        Job(
            f"runs/{benchmark}-{method}",
            (*config, "--method", method, *settings(*OWN.get(method, ()), *overrides)),
        )
        for method in methods
    ]


def table(work: Path) -> str:
    """Markdown: a line for each benchmark and method, with accuracy / mean recall in percent, published and ours."""
    rows = []
    for benchmark, published in PUBLISHED.items():
        for method, (accuracy, recall) in published.items():
            run = results(work / "runs" / f"{benchmark}-{method}")
            ours = f"{run['test']['accuracy']:.2%} / {run['test']['mean_recall']:.2%}" if run else "not run"
            chosen = run["selected"]["statement"] if run else ""
            rows.append([COPIES[benchmark], method, f"{accuracy:.2f} / {recall:.2f}", ours.replace("%", ""), chosen])
    return markdown(["benchmark", "method", "published: accuracy / mean", "ours", "our checkpoint"], rows)


@click.command()
@click.option("--work", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--method", "methods", multiple=True, help="One of the six methods. Without it, all of them run.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field of the configs.")
def main(work: Path, methods: tuple[str, ...], overrides: tuple[str, ...]) -> None:
    for benchmark, published in PUBLISHED.items():
        if (work / COPIES[benchmark]).is_dir():
            run_chains([[job] for job in jobs(benchmark, methods or tuple(published), overrides)], work)
        else:
            click.echo(f"{work / COPIES[benchmark]}: not there, left out", err=True)
    record("s2rda", "S2RDA: adaptation to photographs, published and ours", table(work))


if __name__ == "__main__":
    main()
