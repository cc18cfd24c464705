"""Makes all of Ricochet's pictures, sounds and maps, or checks that what lies on disk is what would be made.

python tools/make_assets.py                      write everything into assets/ricochet
python tools/make_assets.py --only 'sprites/*'   only what the pattern fits
python tools/make_assets.py --check              write nothing; exit 1 and name every file that differs
python tools/make_assets.py --sheet sheet.png    one picture of all sprites
python tools/make_assets.py --maps DIRECTORY     a large picture of each map, spawns included
"""

from __future__ import annotations

import argparse
import fnmatch
import io
import os
import sys
import wave
from pathlib import Path

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import numpy as np
import pygame
from assets.paint import Pixels
from assets.synth import Sound

from assets import arenas, catalogue, sheet

HOME = Path(__file__).resolve().parent.parent / "assets" / "ricochet"

# The last digit of a sine or a transform differs between processors and builds of numpy: from one machine to another a
# colour may be off by a level and a sample by a few steps of 32768. On one machine the files come out byte for byte.
PIXEL_SLACK = 2
SAMPLE_SLACK = 8


def picture_file(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    pygame.image.save(sheet.surface(pixels), buffer, "picture.png")
    return buffer.getvalue()


def sound_file(sound: Sound) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes(sound.samples.astype("<i2").tobytes())
    return buffer.getvalue()


def same_picture(path: Path, pixels: Pixels) -> bool:
    image = pygame.image.load(path)
    mode = "RGBA" if pixels.shape[2] == 4 else "RGB"
    if image.get_size() != (pixels.shape[1], pixels.shape[0]) or (image.get_masks()[3] != 0) != (mode == "RGBA"):
        return False
    there = np.frombuffer(pygame.image.tobytes(image, mode), np.uint8).reshape(pixels.shape).astype(int)
    off = np.abs(there - pixels)
    if mode == "RGBA":
        off[..., :3] = off[..., :3] * pixels[..., 3:].astype(int) // 255  # nobody sees the colour of clear glass
    return int(off.max()) <= PIXEL_SLACK


def same_sound(path: Path, sound: Sound) -> bool:
    with wave.open(str(path), "rb") as file:
        if file.getparams()[:4] != (1, 2, sound.rate, len(sound.samples)):
            return False
        there = np.frombuffer(file.readframes(len(sound.samples)), "<i2").astype(int)
    return int(np.abs(there - sound.samples).max()) <= SAMPLE_SLACK


def same(path: Path, made: Pixels | Sound | str) -> bool:
    if not path.is_file():
        return False
    if isinstance(made, str):
        return path.read_text(encoding="utf-8") == made
    if isinstance(made, Sound):
        return same_sound(path, made)
    return same_picture(path, made)


def encoded(made: Pixels | Sound | str) -> bytes:
    if isinstance(made, str):
        return made.encode()
    return sound_file(made) if isinstance(made, Sound) else picture_file(made)


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with what is on disk and write nothing")
    parser.add_argument(
        "--only", default="*", metavar="PATTERN", help="paths below assets/ricochet, such as 'sounds/*'"
    )
    parser.add_argument("--into", type=Path, default=HOME, metavar="DIRECTORY", help="where the files lie or go")
    parser.add_argument("--sheet", type=Path, metavar="PATH", help="write a contact sheet of the sprites")
    parser.add_argument("--zoom", type=int, default=1, help="enlarge the contact sheet's pictures")
    parser.add_argument("--maps", type=Path, metavar="DIRECTORY", help="write a large picture of each map")
    options = parser.parse_args()

    if options.maps:
        options.maps.mkdir(parents=True, exist_ok=True)
        for name, make in arenas.ARENAS.items():
            large = arenas.draw(make(), 1600, detail=1, spawns=True)
            (options.maps / f"{name}.png").write_bytes(picture_file(large))
            for fault in arenas.faults(make()):
                print(f"{name}: {fault}")
        return 0
    if options.sheet:
        chosen = {path: make() for path, make in catalogue.pictures().items() if fnmatch.fnmatch(path, options.only)}
        pygame.image.save(sheet.compose(chosen, zoom=options.zoom), options.sheet)
        return 0

    everything = {**catalogue.texts(), **catalogue.pictures(), **catalogue.recordings()}
    chosen_makers = {path: make for path, make in everything.items() if fnmatch.fnmatch(path, options.only)}
    if not chosen_makers:
        parser.error(f"--only {options.only!r} fits none of the {len(everything)} files")
    different = 0
    for path, make in chosen_makers.items():
        made = make()
        if not options.check:
            (options.into / path).parent.mkdir(parents=True, exist_ok=True)
            (options.into / path).write_bytes(encoded(made))
        elif not same(options.into / path, made):
            different += 1
            print(f"{path}: not what tools/make_assets.py makes; run it, and commit the result")
    if options.check:
        print(f"{len(chosen_makers) - different} of {len(chosen_makers)} files are as made")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
