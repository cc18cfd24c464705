"""A server from its start to its end: what is opened in which order, when it is ready, and how it goes.

    STARTING ── everything is open ──→ READY ── SIGTERM ──→ DRAINING ── rooms are over ──→ CLOSED
                                          └──────── SIGTERM again, or at once ────────────────┘

Draining: the server is not ready any more, is unlisted, lets nobody in, and waits for rounds to be over, but for no
longer than the deadline; players are told from the beginning, and once more at the end.

    service = Service(game, config, word="ricochet", command=COMMAND)
    exit_code = run(service.run())
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import platformdirs
from aiohttp import web

from engine.app import Game, Options
from engine.app.garbage import set_aside
from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import Issuer
from engine.net.connection.token import KEY_BYTES
from engine.net.multiplayer import multiplayer_of
from engine.net.transport.conditioner import Conditions
from engine.net.transport.host import HostError, listen, own_address
from engine.net.transport.tls import Identity, LiveContext
from engine.net.transport.token_service import TokenSite, serve_tokens, token_application
from engine.server import config as configuration
from engine.server.certificate import concerns_of, identity_of, own_identity
from engine.server.figures import Note, ProcessFigures, RoomFigures
from engine.server.listing import Listed
from engine.server.logs import adjust
from engine.server.process import TOKEN_LIFETIME, TOKEN_TIMEOUT, Process
from engine.server.reception import TOKEN_RATE, Reception
from engine.server.rooms import GOODBYE, MOST_NOTES, Plan
from engine.server.schema import Config
from engine.server.workers import Beginning, ChildWorker, LocalWorker, mark_of, plan_to_plain

log = logging.getLogger("tickwire.server")

REFRESH = 1.0
"""Seconds between looks at the figures of workers."""
FILES = 8192
"""Files, sockets among them, that the process should be able to have open."""


class Stage(Enum):
    """How far a server is. The value is said to people."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    CLOSED = "closed"


Extension = Callable[["Service"], AbstractAsyncContextManager[Any]]
"""Something that a server has besides, such as pages: entered once everything else is open, left before it closes."""


class Service:
    """One server: its workers, the place where people come in, and its way through the stages.

    `word` is how workers find the game, and `command` starts one; with one worker, all rooms are in this process.
    `read` reads the configuration again, for a reload. `folder` keeps the TLS key. With `record`, all that happens in
    the room that is there from the start goes to that file, if it is in this process.
    """

    def __init__(
        self,
        game: Game,
        config: Config,
        *,
        word: str = "",
        command: Sequence[str] = (),
        read: Callable[[], Config] | None = None,
        folder: Path | None = None,
        seed: int | None = None,
        record: Path | None = None,
        conditions: Conditions | None = None,
        extensions: Sequence[Extension] = (),
        announce: Callable[[str], object] = print,
    ) -> None:
        self.game = game
        self.config = config
        self.stage = Stage.STARTING
        self.on_stage: list[Callable[[Stage], object]] = []
        """Told of each new stage, such as whoever lists the server."""
        self.workers: list[LocalWorker | ChildWorker] = []
        self.reception: Reception
        self.invite: Invite
        self.bound: Address
        """Where people come in: TCP, and with one worker UDP, too."""
        self.stage_changed = asyncio.Event()
        """Set with each new stage, by whoever waits for it cleared."""
        self.listed = Listed(self)
        self.notes: deque[Note] = deque(maxlen=MOST_NOTES)
        """What happened lately in any worker, oldest first."""
        self.on_note: list[Callable[[Note], object]] = []
        """Told of each as it happens."""
        self.started = time.monotonic()
        self.epoch = time.time() - self.started
        """Unix time at 0 of the monotonic clock, as it was at the start: what connect tokens are dated by. So a jump
        of the wall clock makes none of them expire."""
        self._word = word
        self._command = command
        self._read = read
        self._folder = folder or platformdirs.user_data_path("tickwire")
        self._seed = seed
        self._record = record
        self._conditions = conditions
        self._extensions = extensions
        self._announce = announce
        self._private_key = os.urandom(KEY_BYTES)
        self._identity: Identity
        self._shown: LiveContext
        self._changed = asyncio.Event()
        self._stopping = False
        self._deadline: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_ready(self) -> bool:
        """Whether people may come in."""
        return self.stage is Stage.READY

    @property
    def seconds_to_drain(self) -> float:
        """How long a drain may take from now on."""
        if self._deadline is not None:
            return max(0.0, self._deadline - time.monotonic())
        return self.config.drain.deadline + 2 * GOODBYE

    # Its way

    async def run(self, seconds: float | None = None) -> int:
        """Serve until it is drained, stopped, or `seconds` are over; returns the exit code.

        Raises `TickwireError` with a line for people if it cannot start.
        """
        raise_file_limit()
        self._loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(2, thread_name_prefix="tickwire-work") as executor:
            async with AsyncExitStack() as stack:
                stack.push_async_callback(self._close)
                site = await self._open(executor)
                stack.push_async_callback(site.close)
                await stack.enter_async_context(self.listed)
                for extension in self._extensions:
                    await stack.enter_async_context(extension(self))
                set_aside()
                self.reception.open = True
                self._enter(Stage.READY)
                self._announce(str(self.invite))
                with self._signals():
                    await self._serve(seconds)
                self._enter(Stage.CLOSED)
        log.info("closed; everyone was told")
        return 0

    async def _open(self, executor: ThreadPoolExecutor) -> TokenSite:
        """Open everything that is needed to play. Raises `TickwireError`."""
        settings = self.config.server
        for warning in self.config.warnings:
            log.warning("%s", warning)
        self._identity = identity_of(self.config, self._folder / "identity")
        self._warn_of_certificate()
        try:
            listening = listen(settings.bind)
        except HostError as error:
            raise self.config.problem("server.bind", str(error)) from error
        bound = self.bound = Address(settings.bind.host, listening.getsockname()[1])
        try:
            await self._open_workers(bound, executor)
        except BaseException:
            listening.close()
            raise
        self.reception = Reception(
            self.workers,
            password=settings.password,
            most_players=settings.max_players,
            most_rooms=self.config.rooms.max,
        )
        protocol = multiplayer_of(self.game).protocol
        issuer = Issuer(
            protocol,
            self._private_key,
            [bound],
            door=self.reception.door,
            lifetime=TOKEN_LIFETIME,
            timeout=TOKEN_TIMEOUT,
            rate=TOKEN_RATE,
        )
        application: web.Application = token_application(issuer, lambda: self.epoch + time.monotonic())
        self._shown = LiveContext(self._identity)
        site = await serve_tokens(application, listening, self._shown.context)
        self.invite = self._make_invite()
        return site

    def _make_invite(self) -> Invite:
        host = self.config.server.public or own_address(self.bound.host)
        vouched = self._identity.vouches_for(host)
        return Invite(host, self.bound.port, self._identity.fingerprint, vouched=vouched)

    def _warn_of_certificate(self) -> None:
        for concern in concerns_of(self._identity, self.config, datetime.datetime.now(datetime.UTC)):
            log.warning("%s", concern)

    def check(self) -> list[str]:
        """What is allowed but may not be meant, as lines. Raises `TickwireError` if the configuration is of no use."""
        self.plan()
        own = own_identity(self.config)
        now = datetime.datetime.now(datetime.UTC)
        return [*self.config.warnings, *(concerns_of(own, self.config, now) if own is not None else [])]

    async def _open_workers(self, bound: Address, executor: ThreadPoolExecutor) -> None:
        count = self.config.server.workers or os.cpu_count() or 1
        if count == 1:
            process = self._open_process(bound, executor)
            self.workers.append(LocalWorker(process, self._private_key))
            if self._record is not None:
                next(room for room in process.rooms.by_code.values() if room.permanent).record(self._record)
            return
        if self._record is not None:
            raise self.config.problem("server.workers", "a recording is made of a server with one process")
        self.workers += [self._child(number, bound) for number in range(count)]
        children = [worker for worker in self.workers if isinstance(worker, ChildWorker)]
        started = await asyncio.gather(*(child.start() for child in children), return_exceptions=True)
        for failed in started:
            if isinstance(failed, BaseException):
                raise failed

    def _open_process(self, bound: Address, executor: ThreadPoolExecutor) -> Process:
        try:
            process = Process.open(
                self.game,
                self.plan(),
                host=bound.host,
                port=bound.port,
                private_key=self._private_key,
                epoch=self.epoch,
                conditions=self._conditions,
                other=self.listed.answer,
                executor=executor,
                on_note=self._note,
            )
        except OSError as error:
            raise self.config.problem("server.bind", f"{error.strerror or error}: choose another port") from error
        return process

    def _child(self, number: int, bound: Address) -> ChildWorker:
        """A worker with the next ports after that of the server, so that they can be opened in a firewall."""
        beginning = Beginning(
            game=self._word or self.game.name,
            plan=plan_to_plain(replace(self.plan(), permanent=int(number < self.config.rooms.max))),
            host=bound.host,
            port=bound.port + 1 + number if self.config.server.bind.port else 0,
            epoch=self.epoch,
            worker=number,
            mark=mark_of(number),
            log_level=self.config.log.level,
            log_format=self.config.log.format,
        )
        return ChildWorker(self._command, beginning, changed=lambda worker: self._changed.set(), on_note=self._note)

    def plan(self) -> Plan:
        """What the configuration says of rooms. Raises `ConfigError` if the game has no such thing."""
        rooms = self.config.rooms
        for name, has in (("arena", self.game.arenas), ("mode", self.game.modes), ("level", self.game.levels)):
            wanted = getattr(rooms, name)
            if wanted and wanted not in has:
                raise self.config.problem(
                    f"rooms.{name}", f"{self.game.title} has {', '.join(has) if has else 'nothing to choose'}"
                )
        return Plan(
            options=Options(self._seed or 0, rooms.bots, rooms.level, 0, rooms.arena, rooms.mode),
            seeded=self._seed is not None,
            seats=rooms.seats,
            watchers=rooms.seats,
            most_rooms=rooms.max,
            most_load=rooms.load,
            most_players=self.config.server.max_players,
            private=rooms.private,
            saves=self.config.save.folder,
            save_every=self.config.save.every,
            memory=(self.config.save.folder or self._folder) / "post-mortem",
        )

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.stage_changed.set()
        log.info("%s", stage.value)
        for told in self.on_stage:
            try:
                told(stage)
            except Exception:
                log.exception("%r cannot take that the server is %s", told, stage.value)

    async def _serve(self, seconds: float | None) -> None:
        """Wait until it is over, keeping the figures of workers fresh."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self._is_over():
            self._changed.clear()
            for worker in self.workers:
                await worker.refresh()
            now = time.monotonic()
            if end is not None and now >= end:
                break
            until = [now + (REFRESH if self.stage is Stage.READY else 0.05)]
            until += [moment for moment in (end, self._deadline) if moment is not None]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, min(until) - now)):
                    await self._changed.wait()

    def _is_over(self) -> bool:
        if self._stopping:
            return True
        if self.stage is not Stage.DRAINING:
            return False
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return True
        return all(worker.is_over or worker.address is None for worker in self.workers)

    async def _close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*(worker.close() for worker in self.workers))

    # What moves it on

    @contextlib.contextmanager
    def _signals(self) -> Generator[None]:
        """SIGTERM and SIGINT drain, and end it the second time; SIGHUP reads the configuration again."""
        loop = asyncio.get_running_loop()
        wanted = {"SIGTERM": self.drain_or_stop, "SIGINT": self.drain_or_stop, "SIGHUP": self.reload}
        set_up: list[int] = []
        for name, action in wanted.items():
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, action)
                set_up.append(number)
            except (NotImplementedError, RuntimeError):  # where loops have none: Windows, or not the main thread
                if name == "SIGINT" and number is not None:
                    with contextlib.suppress(ValueError):
                        signal.signal(number, self._interrupted)
        try:
            yield
        finally:
            for number in set_up:
                loop.remove_signal_handler(number)

    def _interrupted(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.drain_or_stop)

    def drain_or_stop(self) -> None:
        """Drain; the second time, stop."""
        if self.stage is Stage.DRAINING:
            self.stop()
        else:
            self.drain()

    def drain(self, deadline: float | None = None) -> None:
        """Begin to end: nobody comes in any more, rounds are played to their end, at most for `deadline` seconds."""
        if self.stage is not Stage.READY:
            return
        seconds = self.config.drain.deadline if deadline is None else deadline
        self.reception.open = False
        self._deadline = time.monotonic() + seconds + 2 * GOODBYE
        self._enter(Stage.DRAINING)
        self._spawn(self._ask_all("drain", deadline=seconds))
        self._changed.set()

    def stop(self) -> None:
        """End now; everyone is told."""
        log.warning("ending at once")
        self.reception.open = False
        self._stopping = True
        self._changed.set()

    async def _ask_all(self, what: str, **said: Any) -> list[Any]:
        """Ask every worker; what those answered that did."""
        found = await asyncio.gather(*(worker.ask(what, **said) for worker in self.workers), return_exceptions=True)
        answers: list[Any] = []
        for answer in found:
            if isinstance(answer, TickwireError):
                log.warning("%s", answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                answers.append(answer)
        return answers

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def reload(self) -> None:
        """Read the configuration again, and take up what can be."""
        if self._read is None:
            return
        try:
            taken = configuration.reload(self.config, self._read())
        except TickwireError as error:
            log.error("the configuration stays as it was: %s", error)
            return
        before, self.config = self.config, taken.config
        try:
            plan = self.plan()
            identity = identity_of(self.config, self._folder / "identity")
            self._shown.show(identity)
        except TickwireError as error:
            self.config = before
            log.error("the configuration stays as it was: %s", error)
            return
        self.reception.password = self.config.server.password
        self.reception.most_players = self.config.server.max_players
        self.reception.most_rooms = self.config.rooms.max
        for worker in self.workers:
            self._spawn(worker.replan(plan))
        adjust(self.config.log.level, self.config.secrets())
        self._spawn(self._ask_all("verbosity", level=self.config.log.level))
        log.info("the configuration was read again; changed: %s", ", ".join(taken.changed) or "nothing")
        for warning in self.config.warnings:
            log.warning("%s", warning)
        if taken.needs_restart:
            log.warning("these take a restart: %s", ", ".join(taken.needs_restart))
        self._be_known_by(identity)

    def _be_known_by(self, identity: Identity) -> None:
        """Invite by this from now on; if its key is another than before, say whom that concerns."""
        before, self._identity = self._identity, identity
        self._warn_of_certificate()
        if identity.chain == before.chain:
            return
        invite, self.invite = self.invite, self._make_invite()
        log.info("the certificate is another, and holds until %s", f"{identity.end:%Y-%m-%d}")
        if self.invite == invite:
            return
        if invite.vouched and self.invite.vouched:
            log.info("its key is another, too; invites lead here as before, by the name %s", invite.host)
        else:
            log.warning("invites given out before hold no more, as they name the key of before: give out the new one")
        self._announce(str(self.invite))

    # What can be seen, and done

    def _note(self, note: Note) -> None:
        self.notes.append(note)
        for told in self.on_note:
            told(note)

    def figures(self) -> list[ProcessFigures]:
        """Of all workers that are there; those of children are at most some seconds old."""
        return [figures for worker in self.workers if (figures := worker.figures) is not None]

    def rooms(self) -> list[RoomFigures]:
        """All rooms, worker by worker."""
        return [room for figures in self.figures() for room in figures.rooms]

    async def ask_room(self, what: str, room: str, **said: Any) -> Any:
        """Ask the worker that has a room: ``kick`` with `peer`, ``say`` with `words`, ``close``, as in `Process.verbs`.

        Raises `TickwireError` if it does not answer; an unknown room is answered with False, 0 or None.
        """
        for worker in self.workers:
            if room.startswith(worker.mark):
                return await worker.ask(what, room=room, **said)
        return None

    async def kick(self, room: str, peer: int, words: str = "", *, ban: float = 0.0) -> bool:
        """Throw somebody out, and with `ban` let nobody in from their address for so many seconds."""
        if ban:
            for player in (player for each in self.rooms() if each.code == room for player in each.players):
                if player.peer == peer:
                    self.reception.ban(player.address.rpartition(":")[0].strip("[]"), ban)
        return bool(await self.ask_room("kick", room, peer=peer, words=words))

    async def say(self, words: str, room: str = "") -> int:
        """Have words shown to the people in a room, or to all; to how many."""
        if room:
            return int(await self.ask_room("say", room, words=words) or 0)
        return sum(await self._ask_all("say", words=words))

    async def close_room(self, room: str, words: str = "") -> bool:
        """End a room now; whether there was one."""
        return bool(await self.ask_room("close", room, words=words))


def raise_file_limit() -> None:
    """Let this process have as many sockets as a server may need, where the system counts them."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
