"""`tickwire top, rooms, kick, ban, drain, say`, against a server that runs in another thread."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.cli.top import spark
from engine.server.config import load
from engine.server.lifecycle import Service
from engine.server.ops.fleet import Fleet
from engine.server.ops.opening import open_ops
from engine.server.secret import Secret
from games.tag import GAME

TOKEN = "sesame-sesame-sesame"


class Server:
    """A server in a thread of its own, with one empty room."""

    def __init__(self, folder: Path) -> None:
        self._config = load(
            options={"server.bind": "127.0.0.1:0", "ops.bind": "127.0.0.1:0", "ops.token": Secret(TOKEN)}
        )
        self._folder = folder
        self.url = ""
        self._open = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._open.wait(30)

    async def _run(self) -> None:
        @contextlib.asynccontextmanager
        async def extension(fleet: Fleet) -> AsyncGenerator[None]:
            assert self._config.ops.bind is not None
            async with open_ops(fleet, self._config.ops.bind) as ops:
                self.url = ops.url
                yield

        self.service = Service(
            GAME, self._config, folder=self._folder, extensions=[extension], announce=lambda words: self._open.set()
        )
        self._loop = asyncio.get_running_loop()
        await self.service.run()

    @property
    def room(self) -> str:
        return self.service.rooms()[0].code

    @property
    def ended(self) -> bool:
        self._thread.join(20)
        return not self._thread.is_alive()

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self.service.stop)
        assert self.ended


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.stop()


def tickwire(*words: str, token: str = "") -> Result:
    return CliRunner().invoke(main, list(words), env={"TICKWIRE_OPS_TOKEN": token or None, "COLUMNS": "100"})


def test_looking_takes_no_token(server: Server) -> None:
    top = tickwire("top", "--once", server.url)
    assert (top.exit_code, top.output.split(" · ")[:2]) == (0, ["ready", "0 playing in 1 rooms"])
    assert server.room in tickwire("rooms", "--url", server.url).output
    assert tickwire("rooms", server.room, "--url", server.url).exit_code == 0
    assert json.loads(tickwire("rooms", "--json", "--url", server.url).output)[0]["code"] == server.room


def test_acting_takes_the_token_from_anywhere(server: Server, tmp_path: Path) -> None:
    refused = tickwire("say", "hi", "--url", server.url)
    assert refused.exit_code == 1
    assert "TICKWIRE_OPS_TOKEN" in refused.output
    assert tickwire("say", "hi", "--url", server.url, token="wrong" * 5).output == "tickwire: the token is wrong\n"
    (tmp_path / "token").write_text(TOKEN + "\n")
    port = server.url.rpartition(":")[2].strip("/")
    (tmp_path / "server.toml").write_text(f'[ops]\nbind = "127.0.0.1:{port}"\ntoken = "{TOKEN}"\n')
    (tmp_path / "server.toml").chmod(0o600)
    for where in (
        ["--url", server.url, "--token-file", str(tmp_path / "token")],
        ["--url", f"{server.url}#token={TOKEN}"],
        ["--config", str(tmp_path / "server.toml")],
    ):
        assert tickwire("say", "good", "evening", *where).output == "nobody was there to hear it\n"
    assert tickwire("say", "hi", "--url", server.url, token=TOKEN).exit_code == 0


def test_what_is_not_there_is_a_line(server: Server) -> None:
    for words in (["kick", server.room, "Ana"], ["ban", server.room, "7"]):
        found = tickwire(*words, "--url", server.url, token=TOKEN)
        assert (found.exit_code, found.output) == (1, f"tickwire: there is no {words[2]} in room {server.room}\n")
    assert tickwire("rooms", "a/b", "--url", server.url).output == "tickwire: there is no room a/b\n"
    assert "cannot be reached" in tickwire("rooms", "--url", "http://127.0.0.1:1").output
    assert "is no address of a dashboard" in tickwire("rooms", "--url", "ftp://127.0.0.1").output


def test_a_drain_ends_it(server: Server) -> None:
    found = tickwire("drain", "--deadline", "0", "--url", server.url, token=TOKEN)
    assert (found.exit_code, found.output) == (0, "the server ends when its rounds are over\n")
    assert server.ended


def test_a_plot_of_one_line() -> None:
    assert spark([0.0, 4.0, 8.0], 1.0) == " ▄█"
    assert spark([1.0], 8.0) == "▁"
    assert spark([], 1.0) == ""
