"""The files under deploy/: all that they pass to the scheduler and to `blendmill` exists and is consistent."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import signal
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from render.cli.doctor import _PACKAGES
from render.cli.main import cli
from render.cli.render import render

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def command_lines() -> list[tuple[str, list[str]]]:
    """Every line under deploy/ that calls `blendmill`, or runs its image, as (file, arguments)."""
    found = []
    for path in sorted(DEPLOY.iterdir()):
        text = path.read_text().replace("\\\n", " ")
        # As a command: at the start of a line or list item, or within quotes; through Docker the image has its name.
        for match in re.finditer(r"(?:^\s*(?:- )?|[`'])blendmill +([^`'\n]+)", text, re.MULTILINE):
            found.append((path.name, match[1]))
        found += [(path.name, match[1]) for match in re.finditer(r"docker run [^`\n]*? blendmill ([^`\n]+)", text)]
    lines = [(name, shlex.split(line.rstrip("& "), comments=True)) for name, line in found]
    lines.append(("kubernetes-job.yaml", job()["template"]["spec"]["containers"][0]["args"]))
    return lines


def job() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "kubernetes-job.yaml").read_text())["spec"]


def test_every_command_exists_with_its_options() -> None:
    lines = command_lines()
    assert {name for name, _ in lines} >= {"README.md", "slurm.sh", "kubernetes-job.yaml", "ray-cluster.yaml"}
    assert {arguments[0] for _, arguments in lines} >= {"render", "status", "merge", "warm"}
    for name, (verb, *rest) in lines:
        command = cli.get_command(click.Context(cli), verb)
        assert command, f"{name}: blendmill {verb}: there is no such command"
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        given = {argument.partition("=")[0] for argument in rest if argument.startswith("--")}
        assert given <= options, f"{name}: blendmill {verb}: there is no {', '.join(given - options)}"


def test_render_lines_parse() -> None:
    """Not only the options' names: their values too, as click reads them."""
    parsed = 0
    for name, (verb, *rest) in command_lines():
        if verb != "render":
            continue
        filled = [re.sub(r"\$\(\(.*?\)\)|\$\(\w+\)", "3", argument) for argument in rest]
        filled = [{"$images": "10", "$seed": "1"}.get(argument, argument) for argument in filled]
        context = render.make_context("render", filled)
        assert context.params["out"], name
        assert context.params["images"] >= 10, name
        parsed += 1
    assert parsed >= 4


def test_the_image_has_all_that_blender_links_to() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    packages = set(re.findall(r"apt-get install ([^&]+)", text)[0].split())
    assert set(_PACKAGES.values()) <= packages
    assert {"tini", "ca-certificates", "rsync"} <= packages


def test_the_image_fits_the_project() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^FROM nvidia/cuda:", text, re.MULTILINE)
    wanted = re.findall(r'install .*--constraint constraints.txt "\.\[([\w,]+)\]"', text)
    assert wanted, "the image installs the project under its constraints"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(wanted[0].split(",")) <= set(project["optional-dependencies"])
    assert re.search(r"^USER 10001", text, re.MULTILINE)
    last = [line.split()[0] for line in text.splitlines() if line and line.split()[0].isupper()]
    assert last.index("USER") > last.index("RUN") and "RUN" not in last[last.index("USER") :]
    assert re.search(r'^ENTRYPOINT \[.*"blendmill"\]', text, re.MULTILINE)
    assert "graphics" in re.findall(r"NVIDIA_DRIVER_CAPABILITIES=(\S+)", text)[0].split(",")
    volume = re.findall(r"^VOLUME (\S+)", text, re.MULTILINE)[0]
    for variable in ("BLENDMILL_CACHE", "CUDA_CACHE_PATH", "OPTIX_CACHE_PATH", "XDG_CACHE_HOME"):
        assert re.search(rf"{variable}={volume}(/|\s|$)", text), variable


def test_the_image_is_given_all_it_copies() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((ROOT / name).exists() for name in kept)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    files = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml", "constraints.txt"}
    packages = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert files | packages <= kept


def test_the_kubernetes_job_draws_every_part_once() -> None:
    document = yaml.safe_load((DEPLOY / "kubernetes-job.yaml").read_text())
    assert (document["apiVersion"], document["kind"]) == ("batch/v1", "Job")
    spec = job()
    assert spec["completionMode"] == "Indexed"
    assert 0 < spec["parallelism"] <= spec["completions"]
    assert spec["backoffLimitPerIndex"] > 0
    container = spec["template"]["spec"]["containers"][0]
    assert f"--shard=$(JOB_COMPLETION_INDEX)/{spec['completions']}" in container["args"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    actions = {rule["action"]: rule for rule in spec["podFailurePolicy"]["rules"]}
    assert actions["FailJob"]["onExitCodes"]["values"] == [2]
    assert actions["FailJob"]["onExitCodes"]["containerName"] == container["name"]


def test_the_kubernetes_pod_is_confined() -> None:
    pod = job()["template"]["spec"]
    assert pod["restartPolicy"] == "Never", "failures are counted for each index only so"
    assert pod["securityContext"]["runAsNonRoot"] is True
    user = re.findall(r"^USER (\d+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[0]
    assert str(pod["securityContext"]["runAsUser"]) == user == str(pod["securityContext"]["fsGroup"])
    container = pod["containers"][0]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"
    assert mounts["/cache"] in volumes


def test_the_ray_cluster_is_one_that_ray_accepts() -> None:
    document = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    types = document["available_node_types"]
    assert document["head_node_type"] in types
    assert types["spot"]["max_workers"] <= document["max_workers"]
    assert types["spot"]["node_config"]["InstanceType"] == types["head"]["node_config"]["InstanceType"]
    options = document["docker"]["run_options"]
    assert any(option.startswith("--entrypoint=") for option in options)
    # Nobody without its token can run code on it. The image's user reads the token in its home.
    assert "--env=RAY_AUTH_MODE=token" in options
    assert "useradd --create-home --uid 10001 blendmill" in (DEPLOY / "Dockerfile").read_text()
    assert document["file_mounts"] == {"/home/blendmill/.ray/auth_token": "~/.ray/auth_token"}
    util = pytest.importorskip("ray.autoscaler._private.util", reason="needs Ray")
    util.validate_config(util.prepare_config(document))


# The Slurm script, with stand-ins for `blendmill` and `scontrol`.


def slurm(folder: Path, blendmill: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    tools = folder / "bin"
    tools.mkdir()
    for name, body in {"blendmill": blendmill, "scontrol": f'echo "$@" >> "{folder}/scontrol.log"'}.items():
        (tools / name).write_text(f"#!/bin/bash\n{body}\n")
        (tools / name).chmod(0o755)
    task = {"ID": "3", "COUNT": "8", "MIN": "0", "MAX": "7"} | environment
    given = {f"SLURM_ARRAY_TASK_{name}": value for name, value in task.items()}
    return subprocess.Popen(
        ["bash", str(DEPLOY / "slurm.sh"), *arguments],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "SLURM_JOB_ID": "77", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_slurm_gives_its_place_in_the_array(tmp_path: Path) -> None:
    process = slurm(tmp_path, 'printf "%s\\n" "$@"', "my config.yaml", "s3://bucket/set", "1000")
    said = process.communicate(timeout=30)[0].splitlines()
    assert process.returncode == 0
    assert said[:4] == ["render", "my config.yaml", "--out", "s3://bucket/set"]
    pairs = dict(itertools.pairwise(said))
    assert (pairs["--shard"], pairs["--images"], pairs["--seed"]) == ("3/8", "1000", "0")
    render.make_context("render", said[1:])


def test_slurm_fails_as_the_command_does(tmp_path: Path) -> None:
    process = slurm(tmp_path, "exit 2", "a", "b", "1")
    process.communicate(timeout=30)
    assert process.returncode == 2 and not (tmp_path / "scontrol.log").exists()


@pytest.mark.parametrize("array", [{"MIN": "1"}, {"MAX": "9"}])
def test_slurm_refuses_an_array_with_holes(tmp_path: Path, array: dict[str, str]) -> None:
    process = slurm(tmp_path, "touch drawn", "a", "b", "1", **array)
    assert "--array must count from 0" in process.communicate(timeout=30)[0]
    assert process.returncode == 2


@pytest.mark.parametrize(
    ("sent", "received", "requeued"),
    [(signal.SIGUSR1, "INT", True), (signal.SIGTERM, "TERM", False)],
)
def test_slurm_passes_signals_on(tmp_path: Path, sent: signal.Signals, received: str, requeued: bool) -> None:
    """Python as the stand-in: like the real command it takes SIGINT although bash has it ignored."""
    ready = tmp_path / "ready"
    script = f"""exec python3 -c '
import pathlib, signal, sys, time
def stop(number, frame):
    print(signal.Signals(number).name, flush=True)
    time.sleep(0.3)
    sys.exit(130)
signal.signal(signal.SIGINT, stop); signal.signal(signal.SIGTERM, stop)
pathlib.Path("{ready}").touch()
time.sleep(60)'"""
    process = slurm(tmp_path, script, "a", "b", "1")
    deadline = time.monotonic() + 30
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(sent)
    said = process.communicate(timeout=30)[0]
    assert f"SIG{received}" in said and process.returncode == 130
    log = tmp_path / "scontrol.log"
    assert log.exists() == requeued
    if requeued:
        assert log.read_text() == "requeue 77\n"


def test_a_task_that_ends_in_time_is_not_requeued(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    process = slurm(tmp_path, f'trap "exit 0" INT TERM; touch "{ready}"; sleep 1; exit 0', "a", "b", "1")
    deadline = time.monotonic() + 30
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=30)
    assert process.returncode == 0 and not (tmp_path / "scontrol.log").exists()


def test_the_slurm_script_is_sound() -> None:
    script = DEPLOY / "slurm.sh"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert os.access(script, os.X_OK)
    text = script.read_text()
    settings = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?", text, re.MULTILINE))
    assert {"array", "time", "requeue", "signal", "gpus-per-task"} <= set(settings)
    assert settings["signal"] == "B:USR1@300"
    body = text.index("set -euo pipefail")
    assert text.rindex("#SBATCH") < body, "Slurm reads no line after the first command"
