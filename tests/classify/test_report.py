"""The report: one file that opens from disk, which says how its checkpoint was chosen; and where networks look."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
for needed in ("matplotlib", "sklearn", "transformers"):
    pytest.importorskip(needed, reason=f"{needed} is not installed")

from torch import nn  # noqa: E402
from transformers import ViTConfig, ViTModel  # noqa: E402

from classify import figures, report  # noqa: E402
from classify.attention import Look, grad_cam, look, rollout  # noqa: E402
from classify.evaluation import Outputs  # noqa: E402
from classify.methods.base import Method  # noqa: E402
from classify.methods.catalogue import METHODS  # noqa: E402
from classify.metrics import Evaluation  # noqa: E402
from classify.network import Backbone, Network  # noqa: E402
from scenes.errors import InputError  # noqa: E402
from training.config import statement  # noqa: E402
from training.method import Batch  # noqa: E402

CLASSES = ("cup", "<lamp>", "chair")


def seen(count: int, labels: bool = True) -> Outputs:
    generator = torch.Generator().manual_seed(count)
    known = torch.arange(count) % 3
    logits = 2 * torch.eye(3)[known] + torch.randn(count, 3, generator=generator)
    return Outputs(torch.cat([logits, logits], 1), logits, known if labels else torch.full((count,), -1))


def results(by: str = "im") -> dict[str, Any]:
    test = seen(30)
    history = [
        {"step": step, "im": 0.1 * step, "snd": 2.0 - step, "oracle": 0.3 + 0.01 * step, "test_accuracy": 0.4}
        for step in (1, 2, 3)
    ]
    return {
        "selected": {"step": 3, "by": by, "uses_target_labels": by == "oracle", "statement": statement(by)},
        "test": Evaluation.from_logits(test.logits, test.labels, CLASSES).as_json(),
        "validators": {"im": history[2], "snd": history[0], "oracle": history[2]},
        "classes": list(CLASSES),
        "data": {"source": "5ca1ab1e"},
        "pictures": {"source": 90, "test": 30},
        "history": history,
        "seconds": 1.5,
    }


def stored(folder: Path, by: str = "im") -> Path:
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump({"method": "mcc", "classes": list(CLASSES), "seed": 7}))
    (folder / "results.json").write_text(json.dumps(results(by)))
    entries = [
        {
            "kind": "train",
            "step": s,
            "loss": 1 / s,
            "loss/source": 1 / s,
            "lr": 0.1,
            "images_per_second": 9.0,
            "data_wait": 0,
        }
        for s in (1, 2)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return folder


def looked() -> Look:
    maps = torch.linspace(0, 1, 64).view(1, 8, 8).expand(2, 8, 8)
    pictures = torch.arange(2 * 8 * 8 * 3).view(2, 8, 8, 3).byte()
    return Look(pictures, maps, torch.tensor([0, -1]), torch.tensor([[0.1, 0.2, 0.7], [1, 0, 0]]), "Grad-CAM")


class Document(HTMLParser):
    """All tags, and where they point; fails where they are not closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href")]
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_report_is_one_file_without_scripts(tmp_path: Path) -> None:
    run = stored(tmp_path / "run")
    report.write(report.of_run(run, source=seen(20), target=seen(26, labels=False), look=looked()), run / "report.html")
    text = (run / "report.html").read_text()
    document = Document(text)
    assert "script" not in document.tags and "link" not in document.tags and "default-src 'none'" in text
    assert len(document.links) == 6 and all(link.startswith("data:image/png;base64,") for link in document.links)
    for link in document.links:
        assert base64.b64decode(link.partition(",")[2]).startswith(b"\x89PNG")
    assert "<lamp>" not in text and "&lt;lamp&gt;" in text
    assert [path.name for path in run.glob("report*")] == ["report.html"]
    for words in (
        "class precision",
        "proxy A-distance",
        "Fréchet",
        "t-SNE",
        "seed: 7",
        "5ca1ab1e",
        "bootstrap",
        "90 source, 30 test",
    ):
        assert words in text, words
    assert "90 source, 30 test" in text
    assert (
        "selected by the validator &#39;im&#39;, without labels of the target" in text and "statement leak" not in text
    )


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """Whatever a folder, a class or a setting is called, it cannot become part of the page."""
    name = """<script>alert('x')</script>"><b a='&lt;' {{ 7 * 7 }} $\\frac$ Größe"""
    found = results()
    found["classes"][1] = found["test"]["table"][1]["class"] = name
    found["pictures"] = {name: 3}
    config = {"method": name, "classes": found["classes"]}
    text = report.html(report.Report(name, config, found | {"data": {name: name}}, look=looked()))
    document = Document(text)
    assert not {"script", "b"} & set(document.tags) and "<script" not in text and "49" not in document.words
    assert document.words.count(name) >= 6, "title, heading, settings, pictures, class, config"


def test_validators_stand_side_by_side_and_the_oracle_is_marked(tmp_path: Path) -> None:
    text = report.html(report.of_run(stored(tmp_path / "run")))
    rows = dict(re.findall(r'<tr class="(\w*)"><td>(?:information|soft|ORACLE)[^<]*</td>(.*?)</tr>', text))
    assert rows.keys() == {"chosen", "", "oracle"}
    cells = {kind: re.findall(r">([^<]+)</td>", row) for kind, row in rows.items()}
    assert cells["chosen"] == ["0.3000", "3", "33.0 %", "40.0 %"] and cells[""][:2] == ["1.0000", "1"]
    assert "ORACLE: labels of the target" in text


def test_a_run_chosen_on_target_labels_says_so_in_its_report(tmp_path: Path) -> None:
    text = report.html(report.of_run(stored(tmp_path / "run", by="oracle")))
    assert '<p class="statement leak">' in text and "selected by LABELS OF THE TARGET" in text


def test_what_there_is_not_is_left_out() -> None:
    bare = results() | {"test": None, "validators": {}, "history": [{"step": 3}]}
    text = report.html(report.Report("x", {"method": "source"}, bare))
    document = Document(text)
    assert document.links == [] and "nothing is tested" in text and "Selection" not in text


def test_a_run_that_is_not_done_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no results\.json"):
        report.of_run(tmp_path)


def half(count: int, size: int = 24) -> Batch:
    """Noise; class 1 is what is bright on the right half."""
    generator = torch.Generator().manual_seed(0)
    images = 0.1 * torch.randn(count, 3, size, size, generator=generator)
    images[..., size // 2 :] += 2
    return Batch(images, torch.ones(count, dtype=torch.int64), torch.arange(count))


def convolutional() -> Method:
    """Says class 1 where it is bright."""
    backbone = nn.Sequential(nn.Conv2d(3, 2, 4, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    method = Method(Network(backbone, 2, 2), 2).eval().requires_grad_(False)
    method.network.backbone[0].weight[:] = 1 / 48
    method.network.backbone[0].bias[:] = 0
    method.network.head.weight[:] = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    return method


def test_grad_cam_is_bright_where_the_class_is() -> None:
    method, batch = convolutional(), half(3)
    found = look(method, batch)
    assert found.kind == "Grad-CAM" and found.maps.shape == (3, 24, 24) and found.pictures.shape == (3, 24, 24, 3)
    assert found.pictures.dtype == torch.uint8 and found.probabilities.argmax(1).tolist() == [1, 1, 1]
    assert found.maps[:, :, 16:].mean() > 0.8 and found.maps[:, :, :8].mean() < 0.1
    assert found.maps.amax((1, 2)).tolist() == [1, 1, 1] and found.maps.min() >= 0
    assert not any(module._forward_hooks for module in method.modules())


@pytest.mark.parametrize("name", METHODS)
def test_every_method_shows_where_it_looks(name: str) -> None:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 4, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    method = METHODS[name](Network(nn.Sequential(*layers), 4, 2), 2).eval().requires_grad_(False)
    assert look(method, half(3)).maps.amax() == 1


def test_a_network_without_maps_has_none() -> None:
    method = Method(Network(nn.Sequential(nn.Flatten(), nn.Linear(48, 4)), 4, 2), 2).eval()
    with pytest.raises(ValueError, match="no module gives a map"):
        grad_cam(method, torch.zeros(1, 3, 4, 4))


def transformer(layers: int = 1) -> Method:
    torch.manual_seed(0)
    config = ViTConfig(
        image_size=24, patch_size=8, hidden_size=8, num_attention_heads=2, intermediate_size=8, num_hidden_layers=layers
    )
    backbone = Backbone(ViTModel(config, add_pooling_layer=False))
    return Method(Network(backbone, 8, 2), 2).eval()


def test_rollout_follows_the_attention_of_the_class_token() -> None:
    """Of one layer it is that layer's own attention, by the model's own account of it."""
    method, images = transformer(), half(2).images
    before = method.network.backbone.model.config._attn_implementation
    maps, logits = rollout(method, images)
    assert method.network.backbone.model.config._attn_implementation == before
    assert maps.shape == (2, 24, 24) and torch.allclose(logits, method.predict(images), atol=1e-5)
    model = method.network.backbone.model
    model.set_attn_implementation("eager")
    (attention,) = model(images, output_attentions=True).attentions
    patches = attention.mean(1)[:, 0, 1:].view(2, 3, 3)
    middles = maps[:, 4::8, 4::8]
    assert torch.equal(middles.flatten(1).argmax(1), patches.flatten(1).argmax(1))
    spans = patches - patches.amin((1, 2), keepdim=True)
    assert np.corrcoef(middles.flatten().numpy(), spans.detach().flatten().numpy())[0, 1] > 0.9


def test_transformers_are_looked_at_by_rollout() -> None:
    found = look(transformer(layers=3), half(2))
    assert found.kind == "attention rollout" and found.maps.isfinite().all() and found.maps.amax() == 1


def test_a_map_of_few_places_is_passed_by_for_a_finer_one() -> None:
    """Of small pictures the last map says nothing of where: one before it does, unless there is none."""
    method, batch = convolutional(), half(2, size=24)
    alone = grad_cam(method, batch.images)[0]
    convolution, relu, *rest = method.network.backbone
    method.network.backbone = nn.Sequential(convolution, relu, nn.AvgPool2d(3), *rest)
    assert torch.allclose(grad_cam(method, batch.images)[0], alone, atol=1e-5)
    assert grad_cam(method, batch.images[..., :12, 6:18])[0].shape == (2, 12, 12)


def test_one_evaluation_is_no_choice(tmp_path: Path) -> None:
    found = results()
    found["history"] = found["history"][:1]
    document = Document(text := report.html(report.Report("x", {}, found)))
    assert "Step 1 alone was evaluated" in text and len(document.links) == 2


def test_an_overlay_leaves_what_is_not_looked_at_as_it_is() -> None:
    picture = np.full((4, 4, 3), 90, dtype=np.uint8)
    weight = np.zeros((4, 4), dtype=np.float32)
    weight[0, 0] = 1
    drawn = figures.overlay(picture, weight)
    assert (drawn[1:] == 90).all() and (drawn[0, 0] != 90).any()
