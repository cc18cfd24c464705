"""Copying and pasting through the system's clipboard, or rather that of SDL's dummy driver."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pygame
import pytest

from engine.desktop.widgets import system_clipboard


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((64, 64))
    yield
    pygame.display.quit()


@pytest.mark.usefixtures("display")
def test_what_is_put_can_be_got() -> None:
    system_clipboard().put("Ricochet Ä 漢")
    assert system_clipboard().get() == "Ricochet Ä 漢"


def test_without_a_display_it_is_empty(caplog: pytest.LogCaptureFixture) -> None:
    pygame.display.quit()
    with caplog.at_level(logging.INFO):
        system_clipboard().put("x")
        assert system_clipboard().get() == ""
    assert "nothing could be copied" in caplog.text
