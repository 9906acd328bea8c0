"""What the documents name exists: files, commands with their options, names in Python; their examples are valid."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

import blendmill
from docs import pictures
from render.cli.main import cli
from scenes.config.loading import load_config, preset_names
from segment.presets import preset_names as training_presets

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "deploy/README.md",
    "examples/README.md",
    *(f"{folder}/{p.name}" for folder in ("docs", "benchmarks") for p in sorted((ROOT / folder).glob("*.md"))),
]
FOLDERS = "scenes|render|training|classify|segment|gallery|benchmarks|tests|deploy|docs|examples"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
BRITISH = re.compile(
    r"\b(\w*colour\w*|licen[c]e\w*|grey\w*|\w*metres?|centres?|\w*neighbour\w*|\w*labelled|\w+alise[sd]?)\b", re.I
)


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def fences(document: str, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(text(document)) if kind == language]


def code(document: str) -> Iterator[str]:
    """Every line of an indented or plain fenced block, and every inline code."""
    prose = FENCE.sub("", text(document))
    for block in (*INDENTED.findall(prose), *fences(document, ""), *fences(document, "sh")):
        yield from (line.strip() for line in block.splitlines())
    yield from SPAN.findall(INDENTED.sub("", prose))


def commands(document: str, first: str) -> list[list[str]]:
    """The words after `first` of every command that the document shows."""
    return [
        words
        for line in code(document)
        if line.startswith(f"{first} ") and (words := shlex.split(line, comments=True)[len(first.split()) :])
    ]


def resolved(name: str) -> object:
    """What a dotted name stands for: a module, or something in one."""
    if importlib.util.find_spec(name.partition(".")[0]) is None:
        raise ImportError(f"there is no {name}")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return getattr(resolved(module), attribute)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_exist(document: str) -> None:
    """Paths from the root, where <class> stands for any name, and links from the document."""
    told = text(document)
    paths = {found.rstrip(".") for found in re.findall(rf"(?<![\w/.<-])(?:{FOLDERS})/[\w./<>*-]*", told)}
    missing = {path for path in paths if not any(ROOT.glob(re.sub(r"<\w+>", "*", path.rstrip("/"))))}
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", told)
    missing |= {link for link in links if not (ROOT / document).parent.joinpath(link).exists()}
    assert not missing, f"{document} names {', '.join(sorted(missing))}"


def test_files_that_architecture_names_alone_exist_somewhere() -> None:
    files = {path.name for folder in FOLDERS.split("|") for path in (ROOT / folder).rglob("*.py")}
    assert not set(re.findall(r"(?<![\w/.>-])\w+\.py\b", text("ARCHITECTURE.md"))) - files


def test_readme_and_architecture_name_many_paths() -> None:
    """The patterns above see what they are for."""
    for document, number in (("README.md", 10), ("ARCHITECTURE.md", 60)):
        assert len(re.findall(rf"(?<![\w/.<-])(?:{FOLDERS})/[\w./<>*-]*", text(document))) >= number


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_exist_with_their_options(document: str) -> None:
    for words in commands(document, "blendmill"):
        command: click.Command = cli
        context = click.Context(cli, info_name="blendmill")
        shown = " ".join(["blendmill", *words])
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            assert found is not None, f"{document}: {shown}: there is no command {words[0]}"
            command, words = found, words[1:]
            context = click.Context(command, context, info_name=command.name)
        try:
            values, *_ = command.make_parser(context).parse_args(list(words))
        except click.UsageError as error:
            pytest.fail(f"{document}: {shown}: {error.format_message()}")
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice) and isinstance(values.get(parameter.name), str):
                parameter.type.convert(values[parameter.name], parameter, context)
        config = values.get("config")
        if isinstance(config, str) and config.islower() and not config.endswith(".yaml"):
            assert config in {*preset_names(), *training_presets()}, f"{document}: {shown}: there is no preset {config}"


def test_many_commands_are_seen() -> None:
    assert {words[0] for words in commands("README.md", "blendmill")} >= {
        "render", "preview", "status", "merge", "inspect", "export", "crack", "train", "adapt", "assets", "doctor",
    }  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS)
def test_scripts_exist_with_their_options(document: str) -> None:
    for module, *words in commands(document, "python -m"):
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin, f"{document}: there is no module {module}"
        script = Path(spec.origin)
        source = (script.with_name("__main__.py") if script.name == "__init__.py" else script).read_text()
        for option in (word for word in words if word.startswith("--")):
            # A switch is declared with both of its names, as "--reference/--no-reference".
            assert re.search(rf'["/]{option}["/]', source), f"{document}: {module} has no {option}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document: str) -> None:
    targets = re.findall(r"^([\w-]+):", text("Makefile"), re.MULTILINE)
    assert {words[0] for words in commands(document, "make")} <= set(targets)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_yaml_examples_are_configs(document: str, tmp_path: Path) -> None:
    for example in fences(document, "yaml"):
        path = tmp_path / "example.yaml"
        path.write_text(example)
        load_config(path)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_python_examples_compile_and_their_imports_resolve(document: str) -> None:
    for example in fences(document, "python"):
        for node in ast.walk(ast.parse(example)):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    resolved(f"{node.module}.{alias.name}")
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    resolved(alias.name)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_dotted_names_resolve(document: str) -> None:
    for span in SPAN.findall(text(document)):
        if re.fullmatch(rf"(?:{FOLDERS})(\.\w+)+", span) and not span.endswith((".py", ".md")):
            resolved(span)


def test_there_are_examples() -> None:
    assert fences("README.md", "yaml") and len(fences("README.md", "python")) >= 2


@pytest.mark.parametrize("document", DOCUMENTS)
def test_spelling_is_american(document: str) -> None:
    prose = SPAN.sub("", INDENTED.sub("", FENCE.sub("", text(document))))
    assert not BRITISH.findall(prose)


def pages(nav: object) -> Iterator[str]:
    """The pages in a navigation of MkDocs: a page, a title and its page, or a title and a list."""
    if isinstance(nav, str):
        yield nav
    else:
        for inner in nav.values() if isinstance(nav, dict) else nav:  # type: ignore[attr-defined]
            yield from pages(inner)


def test_the_navigation_names_each_page_of_the_site_once() -> None:
    """A page is in docs/ or, as docs/repository.py has it, at its path in the repository."""
    named = list(pages(yaml.safe_load(text("mkdocs.yml"))["nav"]))
    assert not [page for page in named if not (ROOT / "docs" / page).is_file() and not (ROOT / page).is_file()]
    assert len(set(named)) == len(named)
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= set(named)


def test_the_page_of_the_public_names_has_them_all() -> None:
    shown = re.findall(r"^::: blendmill\.(\w+)$", text("docs/api.md"), re.MULTILINE)
    assert sorted(shown) == sorted(blendmill.__all__)


@pytest.mark.parametrize("document", ["docs/api.md", "docs/training.md"])
def test_names_whose_docstrings_a_page_shows_resolve(document: str) -> None:
    names = re.findall(r"^::: (\S+)$", text(document), re.MULTILINE)
    assert names
    for name in names:
        resolved(name)


def test_the_page_of_training_names_all_methods() -> None:
    told = set(SPAN.findall(text("docs/training.md")))
    for task in ("classify", "segment"):
        catalogue = resolved(f"{task}.methods.catalogue")
        assert set(catalogue.METHODS) <= told, task  # type: ignore[attr-defined]


def test_the_pictures_that_one_command_draws_are_on_a_page_and_small() -> None:
    shown = {
        link for path in (ROOT / "docs").glob("*.md") for link in re.findall(r"\]\((\w+\.\w+)\)", path.read_text())
    }
    for name in pictures.DRAWN:
        assert name in shown
        assert (pictures.FOLDER / name).stat().st_size < 150_000
