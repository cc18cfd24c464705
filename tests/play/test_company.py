"""Playing with others from the menu: over real sockets of this machine, as people do it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.app import App, Frame, Options, Scene
from engine.ecs import World
from engine.graphics import DrawOverlay, NullCanvas, NullRenderer, Screen
from engine.input import BindingsFile, FocusLost, Key
from engine.net.session import Hosting, Joining, State
from engine.net.transport.presets import MOBILE
from engine.testing import Harness, InlineExecutor
from engine.widgets import Button, Clipboard, Label, Slider, Ui, Widget
from games.ricochet.components import Player
from games.ricochet.game import GAME
from games.ricochet.presentation.controls import RicochetControls
from games.ricochet.presentation.settings import Settings
from games.ricochet.presentation.talking import Talk
from games.ricochet.presentation.viewer import Viewer

PATIENCE = 20.0
"""Seconds within which everything here must have happened."""


class Someone(Harness):
    """A person with a machine of their own: one app, its menu open."""

    def __init__(self, folder: Path, name: str) -> None:
        self.clipboard = Clipboard()
        app = App(executor=InlineExecutor())
        app.shared += [BindingsFile(folder / name / "controls.json"), self.clipboard, Screen(NullRenderer())]
        assert GAME.opening is not None
        app.push(GAME.opening(app, Options(seed=4)))
        super().__init__(app)
        self.run_ticks(2)
        self.settings = self.world.resource(Settings)
        self.settings.name, self.settings.bots = name, 2

    def live(self) -> None:
        """Let the app run what is due by the wall clock."""
        now = time.perf_counter()
        self.app.advance(now)
        self.app.frame(now)

    def widgets(self) -> list[Widget]:
        ui = self.world.find_resource(Ui)
        return list(ui.shown[-1].walk()) if ui is not None and ui.shown else []

    def buttons(self) -> list[str]:
        return [widget.text for widget in self.widgets() if isinstance(widget, Button)]

    def labels(self) -> str:
        return " | ".join(widget.text for widget in self.widgets() if isinstance(widget, Label))

    def press_button(self, text: str) -> None:
        button = next(widget for widget in self.widgets() if isinstance(widget, Button) and widget.text == text)
        self.click(button.rect.x + button.rect.width / 2, button.rect.y + button.rect.height / 2)
        self.run_ticks(2)

    def key(self, key: Key) -> None:
        self.tap(key)
        self.run_ticks(2)

    def say(self, text: str) -> None:
        self.key(Key.ENTER)
        self.type_text(text)
        self.run_ticks(1)
        self.key(Key.ENTER)

    def heard(self) -> list[str]:
        return [line.name + line.text for line in self.app.scenes[0].world.resource(Talk).lines]

    def in_match(self) -> bool:
        return [scene.name for scene in self.app.scenes] == ["ricochet"]

    def names(self) -> set[str]:
        return {player.name for player in self.app.scenes[0].world.rows(Player)}

    def overlay(self) -> list[str]:
        canvas = NullCanvas(1280.0, 720.0)
        self.world.resource(Scene).dispatcher.trigger(DrawOverlay(canvas, Frame(1.0, 1 / 60, 0.0)))
        return canvas.texts


async def until(reached: Callable[[], bool], *people: Someone) -> None:
    """Let everyone live until something is the case."""
    end = time.perf_counter() + PATIENCE
    while not reached():
        assert time.perf_counter() < end, "it never came to be"
        for person in people:
            person.live()
        await asyncio.sleep(0.002)


async def meanwhile(ticks: int, *people: Someone) -> None:
    first = people[0].tick
    await until(lambda: people[0].tick >= first + ticks, *people)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "data"))


@pytest.fixture
def someone(tmp_path: Path) -> Iterator[Callable[[str], Someone]]:
    made: list[Someone] = []

    def make(name: str) -> Someone:
        made.append(Someone(tmp_path, name))
        return made[-1]

    yield make
    for person in made:
        person.close()


People = Callable[[str], Someone]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def host(person: Someone) -> None:
    person.settings.address, person.settings.port = "127.0.0.1", free_port()
    person.press_button("HOST")
    person.press_button("OPEN")
    await until(person.in_match, person)


async def join(person: Someone, invite: str, *others: Someone) -> None:
    person.clipboard.put(invite)
    person.press_button("JOIN")
    person.press_button("PASTE")
    person.press_button("JOIN")
    await until(person.in_match, person, *others)


def test_one_hosts_another_joins_they_talk_watch_and_part(someone: People) -> None:
    async def story() -> None:
        ana, ben = someone("Ana"), someone("Ben")
        await host(ana)
        invite = ana.clipboard.get()
        assert invite == ana.world.resource(Hosting).invite
        assert invite.startswith("tickwire://127.0.0.1:")
        assert any("clipboard" in line for line in ana.heard())

        await join(ben, invite, ana)
        await until(lambda: {"Ana", "Ben"} <= ana.names() & ben.names(), ana, ben)
        assert ben.world.resource(Viewer).seat == 1
        assert len(ana.names()) == 3  # a bot has left its seat
        assert any("Ben is here" in line for line in ana.heard())
        assert ben.settings.invites == [invite]

        ben.say("hello")
        await until(lambda: "Ben: hello" in ana.heard() and "Ben: hello" in ben.heard(), ana, ben)
        ana.say("welcome")
        await until(lambda: "Ana: welcome" in ben.heard(), ana, ben)

        ben.post(FocusLost())  # looking away stops nothing when others play
        await meanwhile(3, ben, ana)
        assert ben.in_match()
        ben.key(Key.ESCAPE)
        assert [scene.name for scene in ben.app.scenes] == ["ricochet", "pause"]
        before = ben.app.scenes[0].tick
        await meanwhile(10, ben, ana)
        assert ben.app.scenes[0].tick > before
        ben.press_button("ONLY WATCH")
        await until(lambda: ben.in_match() and ben.world.resource(Viewer).seat is None, ben, ana)
        await until(lambda: "Ben" not in ana.names(), ben, ana)

        ana.key(Key.ESCAPE)
        assert invite in ana.labels().replace("\n", "")
        ana.press_button("CLOSE THE ROOM")
        assert [scene.name for scene in ana.app.scenes] == ["ricochet", "menu"]
        await until(lambda: "JOIN AGAIN" in ben.buttons(), ben, ana)
        assert "left" in ben.labels()
        ben.press_button("LEAVE")
        assert [scene.name for scene in ben.app.scenes] == ["ricochet", "menu"]
        assert ben.app.step.speed == 1.0

    asyncio.run(story())


def test_a_host_may_watch_and_play_again(someone: People) -> None:
    async def story() -> None:
        ana = someone("Ana")
        await host(ana)
        ana.key(Key.ESCAPE)
        ana.press_button("ONLY WATCH")
        await until(lambda: "Ana" not in ana.names(), ana)
        assert ana.world.resource(Viewer).seat is None
        ana.key(Key.ESCAPE)
        ana.press_button("PLAY")
        await until(lambda: "Ana" in ana.names(), ana)
        assert ana.world.resource(Viewer).seat == 0

    asyncio.run(story())


def test_a_port_that_is_taken_is_said_and_another_will_do(someone: People) -> None:
    async def story() -> None:
        ana = someone("Ana")
        with socket.socket() as taken:
            taken.bind(("0.0.0.0", 0))
            taken.listen()
            ana.settings.port = taken.getsockname()[1]
            ana.press_button("HOST")
            ana.press_button("OPEN")
            await until(lambda: "choose another port" in ana.labels(), ana)
        ana.settings.port = free_port()
        ana.press_button("OPEN")
        await until(ana.in_match, ana)

    asyncio.run(story())


def test_an_invite_that_is_none_or_leads_nowhere_is_said_in_words(someone: People) -> None:
    async def story() -> None:
        ben = someone("Ben")
        ben.press_button("JOIN")
        ben.press_button("JOIN")
        assert "Paste the invite" in ben.labels()
        ben.clipboard.put("http://example.net/")
        ben.press_button("PASTE")
        ben.press_button("JOIN")
        assert "one begins with tickwire://" in ben.labels()
        ben.clipboard.put(f"tickwire://127.0.0.1:{free_port()}?key={'A' * 43}")
        ben.press_button("PASTE")
        ben.press_button("JOIN")
        assert "CANCEL" in ben.buttons()
        await until(lambda: "BACK" in ben.buttons(), ben)
        assert "127.0.0.1" in ben.labels()
        assert not ben.in_match()
        ben.press_button("BACK")
        assert "PLAY" in ben.buttons()
        ben.press_button("JOIN")
        assert [len(entries) for widget in ben.widgets() if (entries := getattr(widget, "entries", None))] == [1]

    asyncio.run(story())


def test_joining_can_be_given_up(someone: People) -> None:
    async def story() -> None:
        ben = someone("Ben")
        silent = socket.socket()
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ben.clipboard.put(f"tickwire://127.0.0.1:{silent.getsockname()[1]}?key={'A' * 43}")
        ben.press_button("JOIN")
        ben.press_button("PASTE")
        ben.press_button("JOIN")
        await meanwhile(5, ben)
        assert State.ASKING.value in ben.labels()
        ben.press_button("CANCEL")
        await meanwhile(3, ben)
        assert "BACK" in ben.buttons()
        silent.close()

    asyncio.run(story())


def test_a_bad_network_is_dialled_in_and_felt(someone: People) -> None:
    async def story() -> None:
        ben = someone("Ben")
        ben.press_button("NETWORK")
        network = next(widget for widget in ben.widgets() if getattr(widget, "label", "") == "Network")
        sliders = [widget for widget in ben.widgets() if isinstance(widget, Slider)]
        ben.world.resource(Ui).focus = network
        ben.key(Key.LEFT)
        ben.key(Key.LEFT)
        assert ben.settings.network == "mobile"
        assert ben.settings.conditions() == MOBILE
        assert [slider.value for slider in sliders] == [150.0, 50.0, 5.0]
        ben.press_button("TRY IT")
        await until(ben.in_match, ben)
        joining = ben.world.resource(Joining)
        await until(lambda: joining.participant.figures.rtt > 0.1, ben)
        assert ben.names() >= {"Ben"}
        ben.key(Key.F1)
        await meanwhile(20, ben)
        assert {"round trip", "jitter", "loss", "lead", "in", "out", "error", "corrections"} <= set(ben.overlay())
        ben.key(Key.ESCAPE)
        ben.press_button("NETWORK")
        ben.world.resource(Ui).focus = next(widget for widget in ben.widgets() if isinstance(widget, Slider))
        ben.key(Key.END)
        assert ben.settings.network == "own"
        conditions = ben.settings.conditions()
        assert conditions is not None
        assert conditions.latency == 0.2
        ben.press_button("BACK")
        ben.press_button("LEAVE MATCH")
        await until(lambda: joining.task.done() and len(asyncio.all_tasks()) == 1, ben)

    asyncio.run(story())


def test_letters_typed_in_talk_do_not_fly_the_ship(someone: People) -> None:
    async def story() -> None:
        ana = someone("Ana")
        await host(ana)
        controls = ana.controls(RicochetControls)
        ana.key(Key.ENTER)
        ana.press(Key.D)
        ana.type_text("d")
        ana.run_ticks(2)
        assert controls.thrust.value == (0.0, 0.0)
        ana.release(Key.D)
        ana.key(Key.ESCAPE)  # closes the line, and does not open the menu
        assert ana.in_match()
        ana.press(Key.D)
        ana.run_ticks(2)
        assert controls.thrust.value == (1.0, 0.0)
        assert not [line for line in ana.heard() if line.startswith("Ana")]

    asyncio.run(story())


def test_what_was_said_about_networks_is_kept_as_far_as_it_makes_sense(tmp_path: Path) -> None:
    folder = tmp_path / "Ana"
    folder.mkdir()
    odd = {"port": 99999, "invites": ["a", 3, "b"], "network": "carrier pigeon", "latency": 1e9, "loss": -1.0}
    (folder / "settings.json").write_text(json.dumps(odd), encoding="utf-8")
    ana = Someone(tmp_path, "Ana")
    kept = ana.settings
    assert (kept.port, kept.invites, kept.network, kept.latency, kept.loss) == (65535, ["a", "b"], "none", 400.0, 0.0)
    assert kept.conditions() is None
    for number in range(9):
        kept.remember(f"invite {number % 7}")
    assert kept.invites == ["invite 1", "invite 0", "invite 6", "invite 5", "invite 4"]
    ana.run_ticks(1)
    assert json.loads((folder / "settings.json").read_text(encoding="utf-8"))["invites"] == kept.invites
    ana.close()


def test_alone_there_is_nobody_to_talk_to(someone: People) -> None:
    ana = someone("Ana")
    ana.press_button("PLAY")
    ana.press_button("START")
    ana.key(Key.ENTER)
    assert ana.world.resource(Talk).writing is None
    assert isinstance(ana.world, World)
