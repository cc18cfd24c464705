"""The processes that rooms are in, as the main process sees them: its own, or children with a pipe each.

A child that dies takes its rooms with it and nothing else; it is started again, after a while that doubles each time.
Children live no longer than the main process: when their pipe ends, they tell their players and go.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.app import Options
from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.net.connection.token import KEY_BYTES
from engine.server import pipe
from engine.server.figures import Note, ProcessFigures
from engine.server.process import Process
from engine.server.rooms import ALPHABET, NoPlaceError, Plan

log = logging.getLogger("tickwire.server")

ASK_TIMEOUT = 3.0
"""Seconds that a worker may take to answer; one that does not is stuck in a handler, or stopped."""
START_TIMEOUT = 30.0
LONGEST_PAUSE = 30.0
"""Seconds between attempts to start a worker, at most."""
HEALTHY = 60.0
"""Seconds that a worker must have run for the next pause to be short again."""
FIRST_PAUSE = 0.25
PATHS = ("memory", "saves")
"""The fields of a plan that are paths."""


class WorkerError(TickwireError):
    """A worker does not do as asked; the message says which, and why."""


def plan_to_plain(plan: Plan) -> dict[str, Any]:
    """For a pipe."""
    paths = {name: str(path) if (path := getattr(plan, name)) is not None else None for name in PATHS}
    return {**asdict(plan), **paths}


def plan_from_plain(plain: Mapping[str, Any]) -> Plan:
    """Back from `plan_to_plain`."""
    known: dict[str, Any] = {field.name: plain[field.name] for field in fields(Plan)}
    known["options"] = Options.from_header(plain["options"])
    known |= {name: Path(plain[name]) if plain[name] is not None else None for name in PATHS}
    return Plan(**known)


class LocalWorker:
    """The rooms of this process."""

    number = 0
    mark = ""

    def __init__(self, process: Process, key: bytes) -> None:
        self.process = process
        self.key = key
        """The private key of connect tokens for it."""

    @property
    def address(self) -> Address | None:
        """Where its UDP socket is."""
        return self.process.address

    @property
    def figures(self) -> ProcessFigures | None:
        """As it is now."""
        return self.process.figures()

    @property
    def is_over(self) -> bool:
        """Whether it was drained, and has nobody any more."""
        return self.process.is_over

    async def ask(self, what: str, **said: Any) -> Any:
        """As `Process.answer`."""
        return await self.process.answer(what, said)

    async def replan(self, plan: Plan) -> None:
        """Go by another plan."""
        self.process.replan(plan)

    async def refresh(self) -> None:
        """Nothing to do: the figures are always those of now."""

    async def close(self) -> None:
        """Say farewell, and end."""
        await self.process.say_farewell()
        self.process.close()


@dataclass(slots=True)
class Beginning:
    """What a child needs to know to begin."""

    game: str
    """As on the command line."""
    plan: dict[str, Any]
    host: str
    port: int
    epoch: float
    worker: int
    mark: str
    log_level: str
    log_format: str
    key: str = ""
    """The private key of connect tokens, in hex."""


class ChildWorker:
    """A worker in a process of its own, which is started with `command`, and again when it ends by itself.

    `changed` is called when it is there, or is gone.
    """

    def __init__(
        self,
        command: Sequence[str],
        beginning: Beginning,
        *,
        changed: Callable[[ChildWorker], object] = lambda worker: None,
        on_note: Callable[[Note], object] = lambda note: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.number = beginning.worker
        self.mark = beginning.mark
        self.restarts = 0
        self.pid = 0
        self.key = b""
        """The private key of connect tokens for it: another one each time it is started, so that no token is good for
        its successor."""
        self.is_over = False
        """Whether it was drained, and has nobody any more."""
        self._command = list(command)
        self._beginning = beginning
        self._changed = changed
        self._on_note = on_note
        self._clock = clock
        self._address: Address | None = None
        self._figures: ProcessFigures | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._asks = 0
        self._ready: asyncio.Future[str] | None = None  # the words of what is wrong; empty if nothing is
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> Address | None:
        """Where its UDP socket is; None while it is not there."""
        return self._address

    @property
    def figures(self) -> ProcessFigures | None:
        """As they were when it last told them."""
        return self._figures

    async def start(self) -> None:
        """Start it, and wait until it is ready. Raises `WorkerError` if it will not be."""
        words = await self._begin()
        if words:
            await self.close()
            raise WorkerError(words)
        self._task = asyncio.get_running_loop().create_task(self._keep_alive())

    async def _begin(self) -> str:
        """Start the child; the words of why it is not ready, if so."""
        self._ready = asyncio.get_running_loop().create_future()
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=pipe.MOST_BYTES
            )
        except OSError as error:
            return f"worker {self.number} cannot be started: {error.strerror or error}"
        self._child, self.pid = child, child.pid
        self.key = os.urandom(KEY_BYTES)
        self._beginning.key = self.key.hex()
        self._tell({"id": 0, "ask": "begin", "said": asdict(self._beginning)})
        self._reader = asyncio.get_running_loop().create_task(self._read(child))
        try:
            async with asyncio.timeout(START_TIMEOUT):
                return await self._ready
        except TimeoutError:
            return f"worker {self.number} did not get ready within {START_TIMEOUT:.0f} s"

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        """Take what it says, until it ends."""
        assert child.stdout is not None
        try:
            while (said := await pipe.read(child.stdout)) is not None:
                self._take(said)
        except (pipe.PipeError, OSError) as error:
            log.error("worker %d talks nonsense: %s", self.number, error)
            child.kill()
        code = await child.wait()
        self._address, self._figures = None, None
        for future in self._asked.values():
            if not future.done():
                future.set_exception(WorkerError(f"worker {self.number} has died"))
        self._asked.clear()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(f"worker {self.number} ended before it was ready ({_ending(code)})")
        if not self._ending:
            log.error("worker %d has died (%s), and its rooms with it", self.number, _ending(code))
            self._note(f"worker {self.number} has died ({_ending(code)}), and its rooms with it")
            self._changed(self)

    def _take(self, said: pipe.Said) -> None:
        news = said.get("news")
        if news == "ready":
            self._address = Address(self._beginning.host, said["port"])
            if self._ready is not None and not self._ready.done():
                self._ready.set_result("")
        elif news == "failed":
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(said["words"])
        elif news == "over":
            self.is_over = True
            self._changed(self)
        elif news == "note":
            self._on_note(Note(**said["note"]))
        else:
            future = self._asked.pop(said.get("id", 0), None)
            if future is None or future.done():
                return
            if "refused" in said:
                future.set_exception(NoPlaceError(said["refused"], said["again"], gone=said["gone"]))
            elif "error" in said:
                future.set_exception(WorkerError(f"worker {self.number}: {said['error']}"))
            else:
                future.set_result(said.get("answer"))

    def _tell(self, said: pipe.Said) -> None:
        child = self._child
        if child is not None and child.stdin is not None and not child.stdin.is_closing():
            with contextlib.suppress(OSError):
                child.stdin.write(pipe.pack(said))

    async def ask(self, what: str, **said: Any) -> Any:
        """As `Process.answer`. Raises `WorkerError` if there is no answer, what was refused else."""
        if self._child is None or self._child.returncode is not None:
            raise WorkerError(f"worker {self.number} is not there")
        self._asks += 1
        number = self._asks
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self._tell({"id": number, "ask": what, "said": said})
        try:
            async with asyncio.timeout(ASK_TIMEOUT):
                return await future
        except TimeoutError:
            raise WorkerError(f"worker {self.number} has not answered for {ASK_TIMEOUT:.0f} s") from None
        finally:
            self._asked.pop(number, None)

    async def refresh(self) -> None:
        """Have it tell its figures anew; if it does not, they stay as they were."""
        if self._address is not None:
            with contextlib.suppress(TickwireError):
                self._figures = ProcessFigures.from_plain(await self.ask("figures"))

    async def replan(self, plan: Plan) -> None:
        """Go by another plan."""
        self._beginning.plan = plan_to_plain(replace(plan, permanent=self._beginning.plan["permanent"]))
        await self.ask("replan", plan=self._beginning.plan)

    async def _keep_alive(self) -> None:
        """Start it again whenever it has died."""
        pause = FIRST_PAUSE
        while True:
            began = self._clock()
            await self._reader
            if self._ending:
                return
            if self._clock() - began > HEALTHY:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
            if self._ending:
                return
            self.restarts += 1
            words = await self._begin()
            if words:
                log.error("%s; trying again in %.1f s", words, pause)
                await self._kill()
            else:
                log.warning("worker %d is back, as process %d", self.number, self.pid)
                self._note(f"worker {self.number} is back")
                self._changed(self)

    def _note(self, words: str) -> None:
        self._on_note(Note(0, time.time(), "worker", words, worker=self.number))

    async def _kill(self) -> None:
        child = self._child
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def close(self, patience: float = 5.0) -> None:
        """End it: it says farewell when its pipe is closed, and is killed if it does not end then."""
        self._ending = True
        child = self._child
        if child is not None and child.returncode is None:
            if child.stdin is not None:
                child.stdin.close()
            try:
                async with asyncio.timeout(patience):
                    await child.wait()
            except TimeoutError:
                log.error("worker %d does not end, and is killed", self.number)
                await self._kill()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._address = None


def mark_of(number: int) -> str:
    """What the codes of a worker's rooms begin with."""
    first, second = divmod(number, len(ALPHABET))
    return ALPHABET[first] + ALPHABET[second]


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
