"""Training says when a network finds no crack, or nothing else."""

from __future__ import annotations

import logging

import pytest
import torch

from segment.watch import Watch


@pytest.mark.parametrize(("logit", "words"), [(-5.0, "no crack"), (5.0, "only crack")])
def test_a_collapse_is_told_once(logit: float, words: str, caplog: pytest.LogCaptureFixture) -> None:
    masks = torch.zeros(1, 10, 10)
    masks[0, 0, :3] = 1
    watch = Watch()
    with caplog.at_level(logging.WARNING, "blendmill"):
        for step in range(400):
            watch.see(torch.full((1, 10, 10), logit), masks)
            watch.tell()
            assert step >= 199 or not caplog.messages
    assert len(caplog.messages) == 1
    assert words in caplog.messages[0] and "0.03 are" in caplog.messages[0] and "\n" not in caplog.messages[0]


def test_what_is_right_or_without_a_crack_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    watch, empty = Watch(), torch.zeros(1, 10, 10)
    masks = empty.clone()
    masks[0, 0, :3] = 1
    with caplog.at_level(logging.WARNING, "blendmill"):
        for step in range(600):
            crack = masks if step < 300 else empty
            watch.see(10 * crack - 5, crack)
            watch.tell()
    assert not caplog.messages
