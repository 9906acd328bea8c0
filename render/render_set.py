"""Draws a data set from Python, as `blendmill render` does."""

from __future__ import annotations

from pathlib import Path

from render.dataset.dataset import Dataset
from render.farm.devices import choose, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.farm.progress import reporter
from render.renderer import device_for, open_sampler
from scenes.config.composite import ComposeConfig
from scenes.config.loading import AnyConfig, Source, load_config
from scenes.config.objects import Config


def render_set(
    config: AnyConfig | Source,
    out: str | Path,
    images: int = 100,
    *,
    seed: int = 0,
    workers: int | None = None,
    device: str = "auto",
) -> Dataset:
    """Draw a data set into a folder. The same call again draws only what is missing.

    Progress goes to standard error.

    Parameters
    ----------
    config : Config, ComposeConfig, str, Path or mapping
        A config, or what `load_config` makes one of.
    out : str or Path
        The folder of the data set.
    images : int
        Number of pictures. A set of fewer pictures grows.
    seed : int
        Seed of all random draws.
    workers : int, optional
        Number of worker processes. None takes one per core, or two per GPU.
    device : str
        "auto", "cpu", or a kind of GPU such as "optix".

    Returns
    -------
    Dataset
        The pictures, to read.

    Raises
    ------
    InputError
        The config is bad, the folder holds something else, or a picture brought down three workers.

    Examples
    --------
    >>> import blendmill
    >>> small = {"extends": "smoke", "camera": {"resolution": [32, 24]}, "classes": ["mug"], "render": {"samples": 1}}
    >>> dataset = blendmill.render_set(small, "mugs", images=2, workers=1)
    >>> len(dataset), dataset[0].rgb.shape
    (2, (24, 32, 3))
    """
    known = config if isinstance(config, (Config, ComposeConfig)) else load_config(config)
    sampler = open_sampler(known)
    devices = choose(device_for(known, device))
    job = Job(known, seed, images, str(out), device=devices[0].kind)
    with reporter(json_logs=False) as tell:
        run(job, sampler, Local(worker_slots(devices, workers, pictures=images)), RetryPolicy(), tell)
    return Dataset.open(Path(out))
