"""Shards as Ray tasks have the same bytes as in a local run, even if Ray's processes or nodes fail."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.dataset.dataset import Dataset
from render.farm.devices import WORKER_MEMORY, choose, worker_slots
from render.farm.job import Farm, Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import Sampler, open_sampler
from render.versions import versions
from scenes.assets.cache import default_folder
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.leftovers import sweep_scratch
from tests.painter import command

pytest.importorskip("bpy", reason="needs Blender's module")
ray = pytest.importorskip("ray", reason="needs Ray: pip install -e '.[farm]'")

import grpc  # noqa: E402  # Ray's own

from render.farm.ray import RayFarm  # noqa: E402
from render.farm.ray_cluster import capacity, needs  # noqa: E402
from render.farm.ray_door import knock  # noqa: E402
from tests.farms import contents  # noqa: E402

SETTINGS = ["classes=[mug]", "assets.shapes=1"]
CONFIG = load_config("smoke", SETTINGS)
Told = list[tuple[str, dict[str, Any]]]


def job(out: Path, count: int = 12) -> Job:
    return Job(CONFIG, 3, count, str(out), shard_size=2)


def draw(
    out: Path, sampler: Sampler, farm: Farm, policy: RetryPolicy | None = None, count: int = 12, **more: Any
) -> Told:
    told: Told = []
    run(
        job(out, count),
        sampler,
        farm,
        policy or RetryPolicy(),
        lambda event, **fields: told.append((event, fields)),
        **more,
    )
    return told


def local(**faults: Any) -> Local:
    return Local(worker_slots(choose("cpu"), 2, pictures=100, cores=2), command(of=os.getpid(), **faults))


def on_ray(**faults: Any) -> RayFarm:
    return RayFarm("local", "cpu", None, command(of=os.getpid(), **faults))


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    sampler = open_sampler(CONFIG)
    sampler.catalogue.prepare()
    return sampler


@pytest.fixture(scope="module")
def undisturbed(sampler: Sampler, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What local workers that nothing happens to make of `job`; they paint, for what is drawn is no matter here."""
    out = tmp_path_factory.mktemp("undisturbed") / "set"
    draw(out, sampler, local())
    assert len(contents(out)) == 7
    return contents(out)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A small Ray in this process, for many tests: starting one takes seconds."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 << 20,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    yield
    ray.shutdown()
    time.sleep(1)
    sweep_scratch()  # who starts a Ray of their own leaves this to the next run
    nothing_left()


def nothing_left() -> None:
    """No process of a run and no scratch outlives its Ray: render workers take a second to notice."""
    deadline = time.monotonic() + 20
    while (left := leftovers()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []


def leftovers() -> list[str]:
    """Render workers of these tests, and scratch of processes that are no more."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if json.dumps({"of": os.getpid()})[1:-1] in " ".join(line):
            found.append(f"process {process.pid}: {line}")
    for root in ("/dev/shm", "/tmp"):
        for path in Path(root).glob("blendmill-*-*"):
            pid = path.name.split("-")[1]
            if pid == "ray" or (pid.isdigit() and not psutil.pid_exists(int(pid))):
                found.append(str(path))
    return found


def test_the_bytes_of_a_local_run(started: None, sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    farm = on_ray()
    assert farm.workers == 2
    told = draw(tmp_path / "set", sampler, farm)
    assert contents(tmp_path / "set") == undisturbed
    assert told[0] == ("start", {"pictures": 12, "done": 0, "workers": 2, "device": "cpu"})
    assert sorted(fields["index"] for event, fields in told if event == "drawn") == list(range(12))
    assert sorted(fields["shard"] for event, fields in told if event == "shard") == list(range(6))
    # Render workers stay from task to task: no more of Ray's processes draw than there is room for.
    assert len({fields["worker"] for event, fields in told if event == "begin"}) <= 2
    # A second run of the same has nothing to do.
    again = draw(tmp_path / "set", sampler, farm)
    assert [event for event, _ in again] == ["start", "end"], again


def test_blender_draws_the_same(started: None, sampler: Sampler, tmp_path: Path) -> None:
    draw(tmp_path / "here", sampler, Local(worker_slots(choose("cpu"), 1, pictures=100)), count=2)
    draw(tmp_path / "there", sampler, RayFarm("local", "cpu", 1), count=2)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_what_the_driver_has_listed_no_node_lists_again(
    started: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one with a cache of its own: Ray's processes do not have what is set here."""
    folder = tmp_path / "models" / "mug"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.obj").write_text(f"# {name}\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\n")
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    given = load_config("smoke", {"assets.models": [{"path": f"file://{tmp_path}/models"}], "assets.shapes": 0})
    sampler = open_sampler(given)
    for later in range(30):
        (folder / f"{later}.obj").write_text((folder / "a.obj").read_text())
    out = tmp_path / "set"
    run(Job(given, 3, 4, str(out), shard_size=2), sampler, on_ray(), RetryPolicy(), lambda event, **fields: None)
    drawn = [frame.scene for frame in Dataset.open(out)]
    assert drawn == [sampler.sample(3, index) for index in range(4)]
    assert drawn != [open_sampler(given).sample(3, index) for index in range(4)]


def test_rays_own_processes_load_little() -> None:
    """Each of them imports before it does anything, and they do so at once, on the cores that are to draw.

    A task does not load Ray itself: if it asked Ray for something, it would lose its place while it waits.
    """
    code = (
        "import sys\n"
        "def heavy(): return [m for m in ('bpy', 'cv2', 'h5py', 'ray', 'scenes.config.loading') if m in sys.modules]\n"
        "import render.farm.event_queue; print(heavy())\n"
        "import render.farm.raytask; print(heavy())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["[]", "['h5py']"]


@pytest.mark.slow
def test_a_render_worker_that_crashes_is_replaced(
    started: None, sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    told = draw(tmp_path / "set", sampler, on_ray(crash=[3], once=str(tmp_path)))
    assert contents(tmp_path / "set") == undisturbed
    deaths = [fields for event, fields in told if event == "died"]
    assert len(deaths) == 1 and deaths[0]["index"] == 3 and "SIGSEGV" in deaths[0]["reason"]
    assert sum(fields["pictures"] for event, fields in told if event in ("drawn", "died")) == 12


@pytest.mark.slow
def test_a_picture_that_kills_stops_the_run_in_one_line(
    started: None, sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "set"
    with pytest.raises(InputError, match=r"picture 3 was given up after 2 workers died: crashed \(SIGSEGV\)") as caught:
        draw(out, sampler, on_ray(crash=[3]), RetryPolicy(attempts=2))
    assert "\n" not in str(caught.value)
    assert json.loads((out / "failed" / "00000003.json").read_text())["scene"]["index"] == 3
    assert not list(out.rglob("*.tmp-*"))
    told = draw(out, sampler, on_ray(crash=[3]), RetryPolicy(attempts=2, skip=True))
    assert [fields["index"] for event, fields in told if event == "failed"] == [3]
    differing = {name for name, digest in contents(out).items() if undisturbed.get(name) != digest}
    assert differing == {"dataset.json", "shards/00001.h5", "failed/00000003.json"}
    assert json.loads((out / "dataset.json").read_text())["skipped"] == [3]


@pytest.mark.slow
def test_a_ray_process_that_is_killed_is_replaced(
    started: None, sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    killed: list[str] = []
    told: Told = []

    def tell(event: str, **fields: Any) -> None:
        told.append((event, fields))
        if event == "drawn" and not killed:
            killed.append(fields["worker"])
            os.kill(int(fields["worker"].split(":")[1]), signal.SIGKILL)

    run(job(tmp_path / "set"), sampler, on_ray(seconds=1.2), RetryPolicy(), tell)
    assert contents(tmp_path / "set") == undisturbed
    deaths = [fields for event, fields in told if event == "died"]
    assert [death["worker"] for death in deaths] == killed and "lost" in deaths[0]["reason"]
    assert sum(fields["pictures"] for event, fields in told if event in ("drawn", "died")) == 12


@pytest.mark.slow
def test_stopping_finishes_what_is_begun(
    started: None, sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    out, begun = tmp_path / "set", set()

    def tell(event: str, **fields: Any) -> None:
        if event == "begin":
            begun.add(fields["shard"])

    run(job(out), sampler, on_ray(seconds=1.2), RetryPolicy(), tell, lambda: bool(begun))
    assert 0 < len(begun) <= 3
    assert {int(path.stem) for path in (out / "shards").iterdir()} == begun
    draw(out, sampler, on_ray())
    assert contents(out) == undisturbed


@pytest.mark.slow
def test_ctrl_c_twice_leaves_nothing_half_written(started: None, sampler: Sampler, tmp_path: Path) -> None:
    def tell(event: str, **fields: Any) -> None:
        if event == "drawn":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(job(tmp_path / "set"), sampler, on_ray(seconds=1.2), RetryPolicy(), tell)
    assert not list(tmp_path.rglob("*.tmp-*"))


def test_a_node_with_another_version_is_told(
    started: None, sampler: Sampler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("render.farm.ray.versions", lambda renderer: {**versions(renderer), "blendmill": "99.0"})
    with pytest.raises(InputError, match=r"Ray node .* has blendmill \d.*; install .*blendmill 99.0"):
        draw(tmp_path / "set", sampler, on_ray())
    assert not list((tmp_path / "set" / "shards").glob("*"))


def test_a_kind_of_device_that_no_node_has_is_told(started: None) -> None:
    with pytest.raises(InputError, match="no node of the cluster has a GPU for --device optix"):
        _ = RayFarm("local", "optix", None).workers


def node(cpus: float, gpus: float = 0) -> dict[str, float]:
    return {"CPU": cpus, "GPU": gpus, "memory": 64 * WORKER_MEMORY}


@pytest.mark.parametrize(
    ("nodes", "kind", "workers", "share", "room"),
    [
        ([node(2)], "cpu", None, {"CPU": 1}, 2),
        ([node(8)], "cpu", 3, {"CPU": 2}, 4),
        ([node(0), node(16), node(4)], "cpu", 2, {"CPU": 8}, 2),
        ([node(8, 1)], "optix", None, {"CPU": 4, "GPU": 0.5}, 2),
        ([node(2), node(64, 8), node(64, 8)], "cuda", 48, {"CPU": 2, "GPU": 0.3333}, 48),
        ([node(1, 4)], "optix", None, {"CPU": 1, "GPU": 0.5}, 1),
        ([{"CPU": 16.0, "memory": 4.5 * WORKER_MEMORY}], "cpu", None, {"CPU": 4}, 4),
    ],
)  # fmt: skip
def test_what_a_task_asks_for(
    nodes: list[dict[str, float]], kind: str, workers: int | None, share: dict[str, float], room: int
) -> None:
    wanted = needs(nodes, kind, workers)
    assert {name: amount for name, amount in wanted.items() if name != "memory"} == share
    assert capacity(nodes, wanted) == room


@given(st.lists(st.integers(0, 64), min_size=1, max_size=5), st.none() | st.integers(1, 200))
def test_threads_never_cost_workers(cores: list[int], workers: int | None) -> None:
    nodes = [node(count) for count in cores]
    if not sum(cores):
        with pytest.raises(InputError, match="no node of the cluster has a core"):
            needs(nodes, "cpu", workers)
        return
    wanted = needs(nodes, "cpu", workers)
    assert capacity(nodes, wanted) >= min(workers or sum(cores), sum(cores))


@pytest.mark.slow
def test_a_node_killed_in_mid_run(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    ray.shutdown()
    small = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=small)
    second = cluster.add_node(**{name: value for name, value in small.items() if name != "include_dashboard"})
    drawing: set[str] = set()
    lost: list[str] = []
    told: Told = []

    def tell(event: str, **fields: Any) -> None:
        told.append((event, fields))
        if event == "begin":
            drawing.add(fields["worker"])
        if event == "drawn" and len(drawing) == 2 and not lost:
            lost.append("node")
            cluster.remove_node(second, allow_graceful=False)

    try:
        farm = RayFarm(cluster.address, "cpu", None, command(seconds=1.2, of=os.getpid()))
        assert farm.workers == 2
        run(job(tmp_path / "set"), sampler, farm, RetryPolicy(), tell)
    finally:
        cluster.shutdown()
    assert lost
    assert contents(tmp_path / "set") == undisturbed
    deaths = [fields for event, fields in told if event == "died"]
    assert len(deaths) == 1 and "lost" in deaths[0]["reason"]
    nothing_left()


@pytest.mark.slow
@pytest.mark.parametrize("interrupts", [0, 1, 2])
def test_the_command_starts_a_ray_of_its_own(interrupts: int, sampler: Sampler, tmp_path: Path) -> None:
    # Twelve shards: many are left when the first is there, so that an interrupted run is never complete.
    here, out, count = tmp_path / "here", tmp_path / "there", 24
    draw(here, sampler, Local(worker_slots(choose("cpu"), 2, pictures=100)), count=count)
    process = start(out, "auto", count)
    if interrupts:
        wait_for_a_shard(out)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    if interrupts == 2:
        assert process.stderr
        assert any(line.startswith("stopping: ") for line in iter(process.stderr.readline, ""))
        os.killpg(process.pid, signal.SIGINT)
    said, wrong = process.communicate(timeout=120)
    if interrupts:
        assert process.returncode == 130
        assert "the same command run again completes what is missing" in wrong
        assert not list(out.rglob("*.tmp-*"))
        said, wrong = start(out, "local", count).communicate(timeout=120)
    assert said == f"{count} pictures in {out}\n"
    assert all(re.match(rf"\d+/{count} pictures", line) for line in wrong.splitlines()), (
        "Ray speaks where it should not"
    )
    assert contents(out) == contents(here)
    nothing_left()


def start(out: Path, address: str, count: int) -> subprocess.Popen[str]:
    words = ["render", "smoke", "--out", out, "--images", count, "--seed", 3, "--shard-size", 2, "--ray", address]
    words += [word for setting in SETTINGS for word in ("--set", setting)] + ["--device", "cpu"]
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("blendmill")), *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for_a_shard(out: Path) -> None:
    deadline = time.monotonic() + 120
    while not list(out.glob("shards/*.h5")):
        assert time.monotonic() < deadline, "no shards come"
        time.sleep(0.02)


@pytest.mark.parametrize(("address", "words"), [("127.0.0.1:1", "refused"), ("atuo", "write auto, local, HOST:PORT")])
def test_a_cluster_that_is_not_there_is_told(address: str, words: str) -> None:
    ray.shutdown()
    with pytest.raises(InputError, match=f"--ray {address}: cannot join: .*{words}") as caught:
        _ = RayFarm(address, "cpu", None).workers
    assert "\n" not in str(caught.value)


@contextmanager
def listening(kind: str) -> Iterator[str]:
    """The address of something that is no Ray: it never speaks, speaks HTTP, or asks for the token "right", as Ray
    does."""
    if kind == "asks for a token":

        def alive(request: bytes, context: Any) -> bytes:
            if ("authorization", "Bearer right") not in context.invocation_metadata():
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "Unauthenticated")
            return b""

        handlers = {"CheckAlive": grpc.unary_unary_rpc_method_handler(alive)}
        server = grpc.server(ThreadPoolExecutor(1))
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("ray.rpc.NodeInfoGcsService", handlers)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None)
    elif kind == "speaks HTTP":
        with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
            Thread(target=http.serve_forever, daemon=True).start()
            yield f"127.0.0.1:{http.server_port}"
            http.shutdown()
    else:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            yield f"127.0.0.1:{silent.getsockname()[1]}"


NO_RAY = "what listens there is no Ray; give the address"
NO_TOKEN = "asks for its token; copy ~/.ray/auth_token from its head node .*, and set RAY_AUTH_MODE=token"
WRONG_TOKEN = "does not accept the token of this machine; copy"
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "right"}


@pytest.mark.parametrize(
    ("kind", "environment", "words"),
    [
        ("never speaks", {}, NO_RAY),
        ("speaks HTTP", {}, NO_RAY),
        ("asks for a token", {}, NO_TOKEN),
        ("asks for a token", {"RAY_AUTH_MODE": "token"}, NO_TOKEN),
        ("asks for a token", {"RAY_AUTH_TOKEN": "right"}, NO_TOKEN),
        ("asks for a token", {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "wrong"}, WRONG_TOKEN),
        ("asks for a token", {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": "none"}, "RAY_AUTH_TOKEN_PATH is none"),
    ],
)
def test_what_is_no_ray_of_ours_is_told_at_once(
    kind: str, environment: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ray.shutdown()
    set_alone(environment, tmp_path, monkeypatch)
    monkeypatch.setattr("render.farm.ray_door._ANSWER", 1.0)
    with listening(kind) as address:
        with pytest.raises(InputError, match=f"--ray {address}: cannot join: .*{words}") as caught:
            _ = RayFarm(address, "cpu", None).workers
        # Of a cluster that is found by chance, or named by the environment, the same: no other is started instead.
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(InputError, match=words):
            _ = RayFarm("auto", "cpu", None).workers
    assert "\n" not in str(caught.value)
    assert not ray.is_initialized()


@pytest.mark.parametrize("kept", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "~/.ray/auth_token"])
def test_the_token_is_found_where_ray_finds_it(kept: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("wrong" if kept.startswith("RAY") else "right\n")
    (tmp_path / "other").write_text("right")
    given = {"RAY_AUTH_TOKEN": "right", "RAY_AUTH_TOKEN_PATH": str(tmp_path / "other")}
    named = {kept: given[kept]} if kept in given else {}
    set_alone({"RAY_AUTH_MODE": "token", **named}, tmp_path, monkeypatch)
    with listening("asks for a token") as address:
        knock(address)
        # Ray shows it unasked to a cluster that it found on this machine, and to no other.
        monkeypatch.delenv("RAY_AUTH_MODE")
        knock(address, found=True)
        with pytest.raises(OSError, match=NO_TOKEN):
            knock(address)


def set_alone(environment: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what Ray reads of the environment to this and nothing else."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(home), **environment}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_a_cluster_with_a_token(sampler: Sampler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head as `ray start --head` starts it where a token is kept."""
    here, out, cache = tmp_path / "here", tmp_path / "there", default_folder()
    draw(here, sampler, Local(worker_slots(choose("cpu"), 2, pictures=100)), count=4)
    for home, token in {"ours": "1" * 32, "others": "2" * 32}.items():
        (tmp_path / home / ".ray").mkdir(parents=True)
        (tmp_path / home / ".ray" / "auth_token").write_text(token)
    set_alone({"RAY_USAGE_STATS_ENABLED": "0", "BLENDMILL_CACHE": str(cache)}, tmp_path / "ours", monkeypatch)
    with own_head() as address:
        said = start(out, address, 4).communicate(timeout=60)[1]
        assert re.fullmatch(rf"blendmill: --ray {address}: cannot join: .*{NO_TOKEN}\n", said), said
        monkeypatch.setenv("RAY_AUTH_MODE", "token")
        said, wrong = start(out, address, 4).communicate(timeout=120)
        assert said == f"4 pictures in {out}\n", wrong
        monkeypatch.setenv("HOME", str(tmp_path / "others"))
        said = start(tmp_path / "refused", address, 4).communicate(timeout=60)[1]
        assert re.fullmatch(rf"blendmill: --ray {address}: cannot join: .*{WRONG_TOKEN}.*\n", said), said
    assert contents(out) == contents(here)


@contextmanager
def own_head() -> Iterator[str]:
    """The address of a cluster of this machine alone, as its command line starts it."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, for_clients = one.getsockname()[1], other.getsockname()[1]
    words = f"start --head --block --port={port} --ray-client-server-port={for_clients} --num-cpus=2"
    head = [str(Path(sys.executable).with_name("ray")), *words.split(), "--include-dashboard=false"]
    head += ["--node-ip-address=127.0.0.1", "--object-store-memory=100000000"]
    with subprocess.Popen(head, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not any(each.name() == "raylet" for each in psutil.Process(process.pid).children(recursive=True)):
                assert process.poll() is None and time.monotonic() < deadline, "no head starts"
                time.sleep(0.2)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)
