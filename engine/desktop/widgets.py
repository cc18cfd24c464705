"""What widgets need of the desktop: its clipboard. How they are drawn and fed, they know by themselves."""

from __future__ import annotations

import logging

import pygame

from engine.widgets import Clipboard

log = logging.getLogger("tickwire.desktop")


def system_clipboard() -> Clipboard:
    """The clipboard shared with other programs, once there is a window. Where it fails, it is as if empty."""
    return Clipboard(_read, _write)


def _read() -> str:
    try:
        return pygame.scrap.get_text()
    except pygame.error as error:
        log.info("nothing could be pasted: %s", error)
        return ""


def _write(text: str) -> None:
    try:
        pygame.scrap.put_text(text)
    except pygame.error as error:
        log.warning("nothing could be copied: %s", error)
