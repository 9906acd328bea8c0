"""What many machines would give, calculated from measured constants: the hours, the cost, and what saturates first.

The model is for N pictures in shards of S, on W workers that draw a picture in t seconds:

    draw    = start + (N / W) (t / (1 - lost)) + S t / 2                the last shards end half a shard apart
    upload  = N B / (W u) inside the workers, and N B / U at the store  B bytes per picture, u and U bytes per second
    deal    = (N / S) d                                                 d seconds of the scheduler per shard, one by one
    hours   = max(draw + upload in workers, store, deal) / 3600

Constants marked "measured" come from the other benchmarks in this folder. The others are assumptions: replace them by
your own values with the options.
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from benchmarks.common import record, table

WORKERS = (1, 8, 64, 512)


@dataclass(frozen=True)
class Constants:
    """Seconds, bytes, bytes per second, dollars; the formulas are in the docstring of the module."""

    picture: float
    start: float
    size: float
    shard: int
    dealing: float
    upload: float
    store: float
    lost: float
    price: float

    def hours(self, pictures: float, gpus: int) -> dict[str, float]:
        """Hours that each stage alone would take."""
        drawing = self.start + pictures / gpus * self.picture / (1 - self.lost) + self.shard * self.picture / 2
        stages = {
            "drawing": drawing + pictures * self.size / gpus / self.upload,
            "the store's bandwidth": pictures * self.size / self.store,
            "the scheduler": pictures / self.shard * self.dealing,
        }
        return {name: seconds / 3600 for name, seconds in stages.items()}

    def saturates(self) -> tuple[str, float]:
        """The stage that saturates first, and the number of workers from which more workers no longer help."""
        busy = self.picture / (1 - self.lost) + self.size / self.upload
        at = {
            "the store's bandwidth": busy * self.store / self.size,
            "the scheduler": busy * self.shard / self.dealing,
        }
        return min(at.items(), key=lambda item: item[1])


@click.command()
@click.option("--pictures", default=12.8e6, show_default=True)
@click.option(
    "--picture", "picture", type=float, multiple=True, required=True, help="Seconds that a worker needs per picture."
)
@click.option(
    "--start", type=float, required=True, help="Measured: seconds from the start of a worker to its first picture."
)
@click.option("--size", type=float, required=True, help="Measured: bytes of a picture in a shard.")
@click.option("--dealing", type=float, required=True, help="Measured: seconds that Ray's driver needs per shard.")
@click.option("--shard", default=100, show_default=True)
@click.option(
    "--upload", default=100e6, show_default=True, help="Assumed: bytes per second from a worker to the store."
)
@click.option(
    "--store", default=5e9, show_default=True, help="Assumed: bytes per second that the store takes in total."
)
@click.option(
    "--lost", default=0.02, show_default=True, help="Assumed: share of the work that is lost when machines fail."
)
@click.option("--price", default=1.0, show_default=True, help="Assumed: dollars per hour for a worker's GPU or core.")
def main(pictures: float, picture: tuple[float, ...], **constants: float) -> None:
    rows = []
    notes = []
    for seconds in picture:
        model = Constants(picture=seconds, **constants)  # type: ignore[arg-type]
        for gpus in WORKERS:
            stages = model.hours(pictures, gpus)
            slowest = max(stages, key=stages.__getitem__)
            hours = stages[slowest]
            rows.append(
                [
                    f"{seconds:g}",
                    str(gpus),
                    f"{hours:,.1f}",
                    f"{hours / 24:,.1f}",
                    slowest,
                    f"{hours * gpus * model.price:,.0f}",
                ]
            )
        what, at = model.saturates()
        notes.append(f"At {seconds:g} s per picture, {what} saturates first, at {at:,.0f} workers.")
    body = table(["seconds per picture", "workers", "hours", "days", "limited by", "dollars"], rows)
    record("model", f"{pictures / 1e6:g} million pictures on many machines, calculated", "\n\n".join([body, *notes]))


if __name__ == "__main__":
    main()
