"""A worker's own side: it begins as its main process says, answers what it asks, and ends when its pipe does."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any, BinaryIO

from engine.app import Game
from engine.app.garbage import set_aside
from engine.errors import TickwireError
from engine.server.figures import Note
from engine.server.logs import about, open_logs
from engine.server.pipe import Said, WorkerPipe
from engine.server.process import Process
from engine.server.reactor import run
from engine.server.rooms import NoPlaceError, Stage
from engine.server.workers import Beginning, plan_from_plain

log = logging.getLogger("tickwire.server")


def run_worker(load: Callable[[str], Game]) -> int:
    """Be a worker of the process that started this one; returns the exit code. `load` finds the game by its word."""
    incoming = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)  # whose lock no thread holds at the end
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a game prints is not for the pipe
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # a terminal, or a supervisor, tells all processes: the main one acts
        with suppress(AttributeError, ValueError, OSError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    return run(_Worker(load).serve(incoming, outgoing))


class _Worker:
    def __init__(self, load: Callable[[str], Game]) -> None:
        self._load = load
        self._process: Process | None = None
        self._pipe: WorkerPipe
        self._begun: asyncio.Future[Beginning | None]
        self._ended: asyncio.Future[None]
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, incoming: BinaryIO, outgoing: BinaryIO) -> int:
        loop = asyncio.get_running_loop()
        self._begun, self._ended = loop.create_future(), loop.create_future()
        self._pipe = WorkerPipe(incoming, outgoing, self._take)
        beginning = await self._begun
        if beginning is None:
            return 0
        with (
            open_logs(level=beginning.log_level, format=beginning.log_format),
            about(worker=beginning.worker),
            ThreadPoolExecutor(1, thread_name_prefix="tickwire-work") as executor,
        ):
            try:
                process = self._process = self._open(beginning, executor)
            except (TickwireError, OSError) as error:
                words = str(error)
                if isinstance(error, OSError):
                    words = f"{error.strerror or error}; worker {beginning.worker} takes that port besides --bind's own"
                self._pipe.send({"news": "failed", "words": words})
                self._pipe.close()
                return 1
            set_aside()
            self._pipe.send({"news": "ready", "port": process.address.port})
            watching = loop.create_task(self._watch(process))
            try:
                await self._ended
            finally:
                watching.cancel()
                await process.say_farewell()
                process.close()
                self._pipe.close()
        return 0

    def _open(self, beginning: Beginning, executor: ThreadPoolExecutor) -> Process:
        process = Process.open(
            self._load(beginning.game),
            plan_from_plain(beginning.plan),
            host=beginning.host,
            port=beginning.port,
            private_key=bytes.fromhex(beginning.key),
            epoch=beginning.epoch,
            worker=beginning.worker,
            mark=beginning.mark,
            executor=executor,
            on_note=self._tell,
        )
        process.verbs["replan"] = lambda said: process.replan(plan_from_plain(said["plan"]))
        return process

    def _tell(self, note: Note) -> None:
        self._pipe.send({"news": "note", "note": asdict(note)})

    async def _watch(self, process: Process) -> None:
        while not process.is_over:
            await asyncio.sleep(0.05 if process.rooms.stage is Stage.DRAINING else 0.5)
        self._pipe.send({"news": "over"})

    def _take(self, said: Said | None) -> None:
        if said is None:
            if not self._begun.done():
                self._begun.set_result(None)
            if not self._ended.done():
                self._ended.set_result(None)
        elif said.get("ask") == "begin":
            self._begun.set_result(Beginning(**said["said"]))
        else:
            task = asyncio.get_running_loop().create_task(self._answer(said))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, said: Said) -> None:
        number: Any = said.get("id")
        try:
            if self._process is None:
                raise TickwireError("it has not begun yet")
            answer = await self._process.answer(said["ask"], said.get("said") or {})
            reply: Said = {"id": number, "answer": answer}
        except NoPlaceError as refused:
            reply = {"id": number, "refused": str(refused), "again": refused.again, "gone": refused.gone}
        except Exception as error:
            if not isinstance(error, TickwireError):
                log.exception("the question %r cannot be answered", said.get("ask"))
            reply = {"id": number, "error": str(error) if isinstance(error, TickwireError) else repr(error)}
        self._pipe.send(reply)
