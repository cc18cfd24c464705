"""What a server's main process and its workers say to each other: JSON objects, each after its length.

    u32, little-endian: bytes that follow | UTF-8 JSON of one object

A worker reads standard input and writes standard output, by threads: that works on every system and every event loop,
and neither side waits for the other.

    {"id": 7, "ask": "reserve", "said": {...}}      main process → worker
    {"id": 7, "answer": ...}                        worker → main process
    {"id": 7, "refused": "words for the player"}
    {"id": 7, "error": "what went wrong"}
    {"news": "ready", ...}                          worker → main process, unasked
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import struct
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast

MOST_BYTES = 64 << 20
"""Of a message. Both sides trust each other; this is against a stray write to standard output."""
MOST_WAITING = 10_000
_LENGTH = struct.Struct("<I")

Said = dict[str, Any]


class PipeError(ValueError):
    """What came through a pipe is no message."""


def pack(said: Said) -> bytes:
    """A message as it goes through a pipe."""
    content = json.dumps(said, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return _LENGTH.pack(len(content)) + content


def length_of(head: bytes) -> int:
    """How many bytes follow. Raises `PipeError` if there cannot be so many."""
    (length,) = _LENGTH.unpack(head)
    if length > MOST_BYTES:
        raise PipeError(f"a message of {length} bytes: something else was written to the pipe")
    return length


def unpack(content: bytes) -> Said:
    """A message without its length. Raises `PipeError` if it is none."""
    try:
        said: Any = json.loads(content.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise PipeError(f"not JSON: {error}") from error
    if not isinstance(said, dict):
        raise PipeError("not a JSON object")
    return cast("Said", said)


async def read(stream: asyncio.StreamReader) -> Said | None:
    """The next message; None at the end. Raises `PipeError`."""
    try:
        return unpack(await stream.readexactly(length_of(await stream.readexactly(_LENGTH.size))))
    except asyncio.IncompleteReadError:
        return None


class WorkerPipe:
    """A worker's end. `take` gets every message, and None at the end, on the loop."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, take: Callable[[Said | None], object]) -> None:
        self._in, self._out = incoming, outgoing
        self._loop = asyncio.get_running_loop()
        self._take = take
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._writer = threading.Thread(target=self._write, name="tickwire-pipe-out", daemon=True)
        self._writer.start()
        threading.Thread(target=self._read, name="tickwire-pipe-in", daemon=True).start()

    def send(self, said: Said) -> None:
        """Say something; what the other side does not read in time is lost."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(pack(said))

    def _read(self) -> None:
        try:
            while len(head := self._read_exactly(_LENGTH.size)) == _LENGTH.size:
                length = length_of(head)
                content = self._read_exactly(length)
                if len(content) < length:
                    break
                self._hand(unpack(content))
        except (OSError, ValueError):
            pass  # as good as the end
        self._hand(None)

    def _read_exactly(self, count: int) -> bytes:
        """So many bytes, fewer only at the end. The stream may give them in pieces."""
        content = bytearray()
        while len(content) < count and (piece := self._in.read(count - len(content))):
            content += piece
        return bytes(content)

    def _hand(self, said: Said | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants it any more
            self._loop.call_soon_threadsafe(self._take, said)

    def _write(self) -> None:
        while (packed := self._waiting.get()) is not None:
            try:
                self._out.write(packed)
                self._out.flush()
            except (OSError, ValueError):
                return

    def close(self, patience: float = 2.0) -> None:
        """Write what is waiting, and end."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._writer.join(patience)
