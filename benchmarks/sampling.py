"""How many scenes per second one core samples, for some of the presets that need none of the user's assets."""

from __future__ import annotations

import time

from benchmarks.common import open_objects, record, spread, table
from scenes.sampling.scene import Sampler

SCENES = 1000
ROUNDS = 5


def rate(sampler: Sampler) -> float:
    start = time.process_time()
    for index in range(SCENES):
        sampler.sample(0, index)
    return SCENES / (time.process_time() - start)


def main() -> None:
    rows = []
    for name in ("s2rda13", "matting", "smoke", "tabletop-dense"):
        _, sampler = open_objects(name)
        rate(sampler)
        rows.append([name, spread([rate(sampler) for _ in range(ROUNDS)], 0)])
    body = table(["preset", "scenes per second of processor time, median [range] of 5 rounds"], rows)
    record("sampling", f"Sampling alone, {SCENES} scenes per round, one core", body)


if __name__ == "__main__":
    main()
