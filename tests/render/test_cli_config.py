"""The commands that explain configs, and what they print."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from render.cli.main import cli, main
from scenes.config.factors import field_of, value_at
from scenes.config.loading import load_config, preset_names
from scenes.config.reference import KINDS, entries, markdown, presets_markdown, schema
from tests.walls import make_walls

ROOT = Path(__file__).resolve().parents[2]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_presets_have_a_line_each_and_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(capsys, "presets")
    assert code == 0 and [line.split()[0] for line in printed.splitlines()] == preset_names()
    assert all(len(line.split(None, 1)[1]) > 10 for line in printed.splitlines())
    told = json.loads(run(capsys, "presets", "--json")[1])
    assert sorted(told) == preset_names()
    assert told["s2rda13"].endswith("seen, laid and held as people photograph it.")  # the comment's second line
    assert told["s2rda49-shapenet"] == "S2RDA-49 over your own copy of ShapeNetCore (v1 or v2)."
    assert "resolution: [64, 64]" in run(capsys, "presets", "show", "smoke")[1]
    code, _, error = run(capsys, "presets", "show", "smok")
    assert code == 2 and "did you mean 'smoke'" in error


def test_config_lists_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(capsys, "config", "--json")
    assert code == 0
    told = {entry["path"]: entry for entry in json.loads(printed)}
    assert told["camera.focal_length"]["accepts"] == "number in mm, 5 to 1000"
    assert told["camera.focal_length"]["default"] == "{log_uniform: [35, 85]}" and told["camera.focal_length"]["varies"]
    assert told["lighting.sun.energy"]["default"] == "{log_uniform: [0.5, 4.0]}"  # the sun's own, not any lamp's
    assert all(entry["meaning"] for entry in told.values())
    assert "  focal_length: {log_uniform: [35, 85]}" in run(capsys, "config", "camera")[1].splitlines()
    code, _, said = run(capsys, "config", "camra")
    assert code == 2 and "did you mean 'camera'" in said


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_that_are_told_are_the_defaults(kind: str) -> None:
    """All of them together, set in a file, change nothing."""
    told: dict[str, Any] = {"renderer": kind}
    null: list[str] = []
    for entry in entries(KINDS[kind], section=KINDS[kind]()):
        null += [f"{entry.path}."] if entry.inner and entry.default == "null" else []
        if "[]" in entry.path or entry.inner or entry.path.startswith(tuple(null)):
            continue
        *path, name = entry.path.split(".")
        section = told
        for part in path:
            section = section.setdefault(part, {})
        section[name] = yaml.safe_load(entry.default)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some defaults make others void
        config = load_config(told)
    assert config.digest() == KINDS[kind]().digest()  # type: ignore[attr-defined]


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    assert page == markdown(), "write it anew: blendmill config --markdown > docs/config.md"


def test_the_page_of_the_presets_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/presets.md").read_text(encoding="utf-8")
    assert page == presets_markdown(), "write it anew: blendmill presets --markdown > docs/presets.md"
    assert run(capsys, "presets", "--markdown") == (0, page, "")


def test_the_schema_knows_the_presets() -> None:
    """Every key of every preset is a property, and every property of the config is there."""
    found = schema()
    json.dumps(found, allow_nan=False)

    def properties(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            return properties(found["$defs"][node["$ref"].rpartition("/")[2]])
        inner = {}
        for option in (*node.get("anyOf", ()), *node.get("allOf", ())):
            inner |= properties(option)
        return inner | node.get("properties", {})

    def check(node: dict[str, Any], content: Any, at: str) -> None:
        known = properties(node)
        if isinstance(content, dict) and known:
            for key, value in content.items():
                assert key in known, f"{at}.{key} is not in the schema"
                check(known[key], value, f"{at}.{key}")

    for name in preset_names():
        check(found["$defs"]["Config"], yaml.safe_load((ROOT / f"scenes/presets/{name}.yaml").read_text()), name)
    assert {option["$ref"] for option in found["anyOf"]} == {"#/$defs/Config", "#/$defs/ComposeConfig"}
    azimuth = properties(found["$defs"]["CameraConfig"])["azimuth"]
    assert azimuth["anyOf"][0] == {"type": "number", "minimum": -3600, "maximum": 3600}


def test_init_writes_a_config_that_loads_as_it_is_and_uncommented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    assert run(capsys, "init", str(path), "--preset", "smoke")[0] == 0
    assert load_config(path) == load_config("smoke")
    text = re.sub(r"^# ", "", path.read_text(), flags=re.MULTILINE)
    text = re.sub(r"(?m)^(A config of|The values below)", r"# \1", text)
    (tmp_path / "all.yaml").write_text(text.replace("distance: null", ""))
    with pytest.warns():
        config = load_config(tmp_path / "all.yaml")
    assert config.camera.resolution == (256, 256) and str(config.assets.models[0].path) == str(tmp_path / "models")  # type: ignore[union-attr]
    code, _, told = run(capsys, "init", str(path))
    assert code == 2 and "is there already" in told
    assert run(capsys, "init", str(tmp_path / "x.yaml"), "--preset", "smok")[0] == 2


def test_help_has_groups_and_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    _, printed, _ = run(capsys, "--help")
    assert [line for line in printed.splitlines() if re.fullmatch(r"\S.*:", line)] == [
        "Options:", "Start:", "Render:", "Data sets:", "Assets and cracks:", "Training:",
    ]  # fmt: skip
    assert "..." not in printed.partition("Start:")[2] and max(map(len, printed.splitlines())) <= 80
    context = click.Context(cli)
    for name in cli.list_commands(context):
        assert re.search(rf"^  {name} ", printed, re.MULTILINE), f"{name} is not in the help"


@pytest.mark.parametrize(
    ("factor", "quantile", "told"),
    [
        ("camera.azimuth", 0.25, "90 degrees"),
        ("lighting.sun.0.energy", 0.0, "0.5 W/m^2"),
        ("camera.jitter.angle", 0.5, "quantile 0.50"),
        ("background.kind", 0.0, "hdri"),
        ("material.0.metal.roughness", 0.5, "quantile 0.50"),
    ],
)
def test_a_quantile_is_told_as_a_value(factor: str, quantile: float, told: str) -> None:
    assert value_at(KINDS["blender"](), factor, quantile) == told


def test_the_field_of_a_factor() -> None:
    assert field_of("lighting.sun.0.energy") == "lighting.sun.energy"
    assert field_of("camera.azimuth") == "camera.azimuth"


def test_machines_read_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, printed, _ = run(capsys, "doctor", "--json")
    names = [finding["name"] for finding in json.loads(printed)]
    assert code in (0, 1) and {"python", "composite", "memory"} <= set(names)
    manifest = tmp_path / "assets_manifest.yaml"
    manifest.write_text("assets: [{name: mug, kind: model, path: mug.glb, class: mug, license: CC0-1.0}]\n")
    code, printed, _ = run(capsys, "assets", "list", "--json", "--manifest", str(manifest))
    assert code == 0 and json.loads(printed) == [
        {"name": "mug", "kind": "model", "class": "mug", "license": "CC0-1.0", "state": "missing"}
    ]


def test_a_dry_run_says_what_a_run_takes_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_walls(tmp_path / "walls")
    Path("cracks.yaml").write_text(
        "renderer: composite\nassets: {textures: [walls]}\nresolution: [40, 32]\ncrack: {use: true}\n"
    )
    code, printed, _ = run(
        capsys, "render", "cracks.yaml", "--out", "set", "--images", "3000", "--workers", "2", "--dry-run"
    )
    assert code == 0 and not Path("set").exists()
    lines = printed.splitlines()
    assert lines[0] == "would draw 3000 pictures with 2 workers; nothing was written"
    assert lines[1].endswith("in 100 sampled scenes: crack 100%")
    each = float(re.search(r"disk: .* \(([\d.]+) kB a picture\)", printed)[1])  # type: ignore[index]
    assert main_size(tmp_path, capsys) == pytest.approx(each * 1000, rel=0.3)
    code, _, told = run(capsys, "render", "cracks.yaml", "--out", "set", "--dry-run", "--ray", "local")
    assert code == 2 and "leave out --ray" in told


def main_size(folder: Path, capsys: pytest.CaptureFixture[str]) -> float:
    """Bytes of a picture in a set that is really drawn."""
    assert (
        run(capsys, "render", "cracks.yaml", "--out", "set", "--images", "12", "--workers", "1", "--shard-size", "12")[
            0
        ]
        == 0
    )
    return sum(path.stat().st_size for path in (folder / "set/shards").glob("*.h5")) / 12
