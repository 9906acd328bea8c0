"""No YAML file ends or hangs the reader, fills its memory, or has other files quoted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.assets.manifest import load_manifest
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.plain_yaml import parse_yaml, yaml_text
from tests.attacks.arena import bad, outcomes

BOMBS = {
    "lists": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(12)),
    "mappings": "a: &a {p: 1, q: 2}\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} {{p: *{chr(97 + i)}, q: *{chr(97 + i)}}}\n" for i in range(24)),
    "merge keys": "a: &a {p: 1}\n"
    + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [{', '.join([f'*{chr(97 + i)}'] * 9)}], k{i}: 1}}\n" for i in range(12)
    ),
    "aliases of a long list": "camera: &a [" + "1, " * 90_000 + "1]\n" + "lighting: [" + "*a, " * 200 + "*a]\n",
    "in itself": "camera: &a [*a]\n",
    "merged with itself": "camera: &a {<<: *a}\n",
    "deep lists": "camera: " + "[" * 100_000 + "]" * 100_000,
    "deep mappings": "{camera: " * 100_000 + "1" + "}" * 100_000,
    "deep blocks": "".join(" " * i + "a:\n" for i in range(3_000)),
    "never closed": "[" * 500_000,
    "decimal": "camera: {azimuth: " + "9" * 9_000 + "}\n",
    "hexadecimal": "camera: {azimuth: 0x" + "f" * 9_000 + "}\n",
    "base 60": "camera: {azimuth: " + "1:" * 3_000 + "1}\n",
    "exponent": "camera: {azimuth: 1e999999999}\n",
    "long value": "extends: " + "x" * 900_000,
    "long key": "k" * 100_000 + ": 1\n",
    "large": "# " + "x" * (2 << 20),
    "NUL in a path": 'assets: {models: ["a\\0b"]}\n',
    "NUL in extends": 'extends: "a\\0b.yaml"\n',
    "unknown user": "assets: {models: [~nobody-here/models]}\n",
    "long path": "assets: {models: [" + "d/" * 4_000 + "]}\n",
    "unknown tag": "camera: !!python/object/apply:os.system [exit]\n",
    "key that is a list": "? [camera]\n: 1\n",
    "key that is a mapping": "{{a: 1}: 2}\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "not Unicode": b"camera: \xff\xfe\xfa\n",
    "UTF-16 without end": b"\xff\xfec\x00a",
    "control character": b"camera: \x07\n",
    "undefined alias": "camera: *nowhere\n",
    "date": "camera: {azimuth: 2001-99-99}\n",
    "bytes": "camera: {azimuth: !!binary AAAA}\n",
    "set": "camera: !!set {azimuth}\n",
    "twice": "camera: {azimuth: 1, azimuth: 2}\n",
}


def read_config(path: str) -> None:
    load_config(path)


def read_manifest(path: str) -> None:
    load_manifest(Path(path))


def read_override(value: str) -> None:
    load_config("smoke", [f"camera.azimuth={value}"])


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bombs")
    files = {name: folder / f"{number}.yaml" for number, name in enumerate(BOMBS)}
    for name, path in files.items():
        content = BOMBS[name]
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return files


@pytest.mark.parametrize("reader", ["read_config", "read_manifest"])
def test_bombs_are_refused_in_one_line(bombs: dict[str, Path], reader: str) -> None:
    found = outcomes(f"tests.attacks.test_yaml:{reader}", [str(path) for path in bombs.values()])
    assert not bad(found)
    assert [name for name, one in zip(bombs, found, strict=True) if one.kind == "accepted"] == []


def test_overrides_are_as_safe_as_files() -> None:
    values = [text for text in BOMBS.values() if isinstance(text, str) and "\0" not in text and len(text) < 100_000]
    assert not bad(outcomes("tests.attacks.test_yaml:read_override", values))


@pytest.mark.parametrize("key", ["extends", "the file itself"])
def test_only_regular_files_are_read(tmp_path: Path, key: str) -> None:
    """A pipe never ends, a device is endless, a loop of links leads nowhere."""
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "folder.yaml").mkdir()
    places = [str(path) for path in tmp_path.iterdir()]
    if key == "extends":
        for number, place in enumerate(places):
            (tmp_path / f"config{number}.yaml").write_text(f"extends: {place}\n")
        places = [str(tmp_path / f"config{number}.yaml") for number in range(len(places))]
    found = outcomes("tests.attacks.test_yaml:read_config", places)
    assert [one.kind for one in found] == ["refused"] * 4
    assert not bad(found)


def test_a_loop_of_links_among_the_assets_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "config.yaml").write_text("assets: {models: [loop]}\n")
    with pytest.raises(InputError, match="loop"):
        load_config(tmp_path / "config.yaml")


@pytest.mark.parametrize("content", ["root:x:0:0:secret", "secret: [1", "{secret", "secret: !secret 1", "- secret"])
def test_no_message_quotes_a_file_that_is_no_config(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.txt").write_text(content)
    (tmp_path / "secrets.yaml").symlink_to(tmp_path / "secrets.txt")
    for place in ("secrets.txt", "secrets.yaml"):
        (tmp_path / "config.yaml").write_text(f"extends: {place}\n")
        with pytest.raises(InputError) as refused:
            load_config(tmp_path / "config.yaml")
        assert "secret" not in str(refused.value).replace(place, "")


def test_aliases_and_merge_keys_still_work() -> None:
    text = "one: &one {a: 1, b: 2}\ntwo: {<<: *one, b: 3}\nthree: *one\n"
    assert parse_yaml(text, "x") == {"one": {"a": 1, "b": 2}, "two": {"a": 1, "b": 3}, "three": {"a": 1, "b": 2}}


def test_a_key_that_is_given_twice_names_its_line() -> None:
    with pytest.raises(InputError, match="line 3: the key 'camera' is given twice"):
        parse_yaml("camera: {}\nlighting: {}\ncamera: {}\n", "x.yaml")


@given(st.integers(-(1 << 127), 1 << 127), st.text(max_size=50), st.booleans(), st.floats(allow_nan=False))
def test_plain_values_are_read_as_they_were_written(number: int, text: str, flag: bool, real: float) -> None:
    data = {"n": number, "t": [text], "f": flag, "r": real}
    assert parse_yaml(yaml_text(data), "x") == data


NUMBERS = {"1e-3": 0.001, "-1E+2": -100.0, ".5e1": 5.0, "2.": 2.0, "1_000": 1000, "0": 0, "-0.5": -0.5, "0x10": 16}


def test_numbers_are_those_that_people_expect() -> None:
    for text, value in NUMBERS.items():
        assert parse_yaml(f"a: {text}", "x") == {"a": value}


@pytest.mark.parametrize("text", ["03001627", "02691156", "010", "16:9", "1:30.5", "e5", "1e", "1e5x"])
def test_synsets_and_ratios_are_texts(text: str) -> None:
    assert parse_yaml(f"a: {text}", "x") == {"a": text}


@pytest.mark.parametrize("text", [*NUMBERS, "03001627", "12e4567", "16:9", "true", "null", "2026-01-01", ""])
def test_a_text_that_looks_like_something_else_is_written_as_one(text: str) -> None:
    assert parse_yaml(yaml_text({"a": {text: [text]}}), "x") == {"a": {text: [text]}}
