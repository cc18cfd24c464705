"""Rooms in processes of their own: one door for all, and a worker that dies takes only its rooms with it."""

import asyncio
import io
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import Options
from engine.net.connection import Connected, Disconnected, Refused
from engine.net.connection.address import Address
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import Admitted, TokenRequest, TurnedAway
from engine.net.replication.participant import Participant
from engine.net.transport.host import Guest
from engine.net.wire.protocol import Build
from engine.server import pipe
from engine.server.config import load
from engine.server.figures import Note, ProcessFigures
from engine.server.lifecycle import Service, Stage
from engine.server.reception import Reception
from engine.server.rooms import ALPHABET, ENDED, NoPlaceError, Plan
from engine.server.secret import Secret
from engine.server.workers import ChildWorker, WorkerError, mark_of, plan_from_plain, plan_to_plain
from games import tag

PATIENCE = 60.0
COMMAND = (sys.executable, "-m", "engine.cli.worker")


class Visitor:
    """Somebody with a real socket."""

    def __init__(self) -> None:
        self.participant = Participant(tag.GAME.multiplayer)
        self.ended = False
        self.guest: Guest

    @classmethod
    async def come(cls, invite: Invite, name: str, want: str = "") -> "Visitor":
        visitor = cls()
        visitor.guest = await Guest.open(invite, tag.protocol, visitor._take, name=name, want=want)
        return visitor

    def _take(self, event: object) -> None:
        if isinstance(event, Connected):
            self.participant.connected(self.guest.send, self.guest.client.estimate)
        self.ended = self.ended or isinstance(event, Disconnected | Refused)
        self.participant.receive(event, 0.0)

    @property
    def room(self) -> str:
        return self.guest.invite.room


async def until(reached) -> None:
    async with asyncio.timeout(PATIENCE):
        while not reached():
            await asyncio.sleep(0.01)


def test_a_worker_that_dies_takes_only_its_rooms(tmp_path: Path) -> None:
    async def scene() -> None:
        config = load(options={"server.bind": "127.0.0.1:0", "server.workers": 2, "rooms.seats": 2})
        service = Service(
            tag.GAME, config, word="games.tag", command=COMMAND, folder=tmp_path, announce=lambda invite: None
        )
        task = asyncio.create_task(service.run())
        await until(lambda: service.stage is Stage.READY or task.done())
        assert sorted(note.worker for note in service.notes if note.kind == "opened") == [0, 1]
        people = [await Visitor.come(service.invite, f"{number}") for number in range(6)]
        await until(lambda: all(one.participant.ready for one in people))
        by_worker = {
            worker.mark: [one for one in people if one.room.startswith(worker.mark)] for worker in service.workers
        }
        assert sorted(map(len, by_worker.values())) == [2, 4]
        await asyncio.gather(*(worker.refresh() for worker in service.workers))
        assert sum(room.people for room in service.rooms()) == 6
        assert await service.say("hello") == 6

        first, second = service.workers
        assert isinstance(first, ChildWorker)
        victims, others = by_worker[first.mark], by_worker[second.mark]
        before = first.pid
        os.kill(first.pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        await until(lambda: first.address is None)
        assert not any(one.ended for one in others)
        late = await Visitor.come(service.invite, "late")  # goes where there is somebody
        assert late.room.startswith(second.mark)
        await until(lambda: first.address is not None)
        assert first.pid != before
        assert [note.words for note in service.notes if note.kind == "worker"][-1] == "worker 0 is back"
        await until(lambda: late.participant.ready)
        again = await Visitor.come(service.invite, "again")
        await until(lambda: again.participant.ready)
        assert not any(one.ended for one in others)

        service.drain()
        async with asyncio.timeout(PATIENCE):
            assert await task == 0
        await until(lambda: all(one.ended for one in [*others, late, again]))
        assert {one.participant.last_words for one in [*others, late, again]} == {ENDED}
        for one in victims:
            await one.guest.close()

    asyncio.run(scene())


def test_a_worker_that_cannot_begin_says_why(tmp_path: Path) -> None:
    async def scene(word: str, command: tuple[str, ...], said: str) -> None:
        config = load(options={"server.bind": "127.0.0.1:0", "server.workers": 2})
        service = Service(tag.GAME, config, word=word, command=command, folder=tmp_path)
        with pytest.raises(WorkerError, match=said):
            await service.run()

    asyncio.run(scene("no_such_game", COMMAND, "there is no game 'no_such_game'"))
    asyncio.run(scene("games.tag", (sys.executable, "-c", "print('hello')"), "worker 0"))
    asyncio.run(scene("games.tag", (str(tmp_path / "nothing"),), "cannot be started"))


# The door


class Clerk:
    """A worker that answers from a list."""

    def __init__(self, number: int, *, people: int = 0, full: bool = False) -> None:
        self.number = number
        self.mark = mark_of(number)
        self.key = bytes(32)
        self.address: Address | None = Address("0.0.0.0", 7778 + number)
        self.full = full
        self.people, self.rooms = people, 1
        self.asked: list[dict[str, object]] = []
        self.figures: ProcessFigures | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def ask(self, what: str, **said: object) -> object:
        assert what == "reserve"
        self.asked.append(said)
        await self.answers.wait()
        if self.full and not said.get("may_open", True):
            raise NoPlaceError("there is no room with a place left")
        self.people += not said["watch"]
        self.rooms += bool(said["private"])
        there = {"people": self.people, "rooms": self.rooms}
        return {"room": f"{self.mark}abcd", "client_id": 7, "user": f"{self.mark}abcd|{said['name']}", **there}


def ask(reception: Reception, **asked) -> Admitted | TurnedAway:
    return asyncio.run(reception.door(TokenRequest(Build("tag", "0", 1), **asked)))


def reception_of(*clerks: Clerk, password: str = "") -> Reception:
    reception = Reception(clerks, password=Secret(password), most_players=10, most_rooms=5)
    reception.open = True
    return reception


def test_the_door_sends_people_where_there_is_a_place() -> None:
    full, free = Clerk(0, full=True), Clerk(1)
    reception = reception_of(full, free)
    answer = ask(reception, name=" A\x1bna\n" + "x" * 100)
    assert isinstance(answer, Admitted)
    assert (answer.room, answer.servers) == (f"{free.mark}abcd", (Address("0.0.0.0", 7779),))
    assert len(answer.user.partition("|")[2]) == 40
    assert answer.user.partition("|")[2].startswith("Anax")
    free.full = True
    assert isinstance(ask(reception), Admitted)  # in a new room
    assert [said["may_open"] for said in full.asked] == [False, False, True]


def test_a_code_says_which_worker_has_the_room() -> None:
    one, other = Clerk(0), Clerk(1)
    reception = reception_of(one, other)
    ask(reception, room=f"{other.mark}wxyz")
    assert (len(one.asked), len(other.asked)) == (0, 1)
    answer = ask(reception, room="?")
    assert isinstance(answer, TurnedAway)
    assert "no room ?" in answer.why
    assert answer.gone
    other.address = None
    answer = ask(reception, room=f"{other.mark}wxyz")
    assert isinstance(answer, TurnedAway)
    assert (answer.gone, answer.again) == (False, 1.0)  # the room may have been saved
    one.address = None
    answer = ask(reception)
    assert isinstance(answer, TurnedAway)
    assert answer.again == 1.0


def test_limits_hold_for_all_workers_together() -> None:
    one, other = Clerk(0, people=4), Clerk(1, people=3)
    reception = reception_of(one, other)
    for clerk in (one, other):  # what they have is known once they have answered
        assert isinstance(ask(reception, room=f"{clerk.mark}abcd"), Admitted)
    assert isinstance(ask(reception, private=True), Admitted)
    answer = ask(reception)
    assert isinstance(answer, TurnedAway)
    assert "full: 10 are playing" in answer.why
    assert isinstance(ask(reception, room=f"{one.mark}abcd"), TurnedAway)
    assert isinstance(ask(reception, watch=True), Admitted)
    reception.most_players = 100
    for _ in range(2):
        assert isinstance(ask(reception, private=True), Admitted)
    assert one.rooms + other.rooms == 5
    answer = ask(reception, private=True)
    assert isinstance(answer, TurnedAway)
    assert "all 5 rooms of this server are in use" in answer.why
    one.full = other.full = True
    answer = ask(reception)
    assert isinstance(answer, TurnedAway)
    assert "all 5 rooms" in answer.why


def test_limits_hold_for_those_who_come_at_the_same_time() -> None:
    async def scene() -> list[Admitted | TurnedAway]:
        one, other = Clerk(0), Clerk(1)
        reception = reception_of(one, other)
        one.answers.clear()
        other.answers.clear()
        request = TokenRequest(Build("tag", "0", 1), private=True)
        asked = [asyncio.create_task(reception.door(request)) for _ in range(20)]
        await asyncio.sleep(0)
        one.answers.set()
        other.answers.set()
        return await asyncio.gather(*asked)

    answers = asyncio.run(scene())
    assert sum(isinstance(answer, Admitted) for answer in answers) == 5


def test_who_is_not_let_in_is_told_why_and_counted() -> None:
    reception = reception_of(Clerk(0), password="sesame")
    assert ask(reception) == TurnedAway("this server asks for a password", guess=True)
    assert ask(reception, secret="simsim") == TurnedAway("the password is wrong", guess=True)
    reception.ban("203.0.113.9", 60.0)
    assert isinstance(ask(reception, secret="sesame", source="203.0.113.9"), TurnedAway)
    assert isinstance(ask(reception, secret="sesame", source="203.0.113.8"), Admitted)
    assert reception.pardon("203.0.113.9")
    assert isinstance(ask(reception, secret="sesame", source="203.0.113.9"), Admitted)
    reception.open = False
    answer = ask(reception, secret="sesame")
    assert isinstance(answer, TurnedAway)
    assert not answer.guess
    assert reception.turned_away == {"password": 2, "banned": 1, "closed": 1}
    assert isinstance(ask(reception_of()), TurnedAway)


# What goes through the pipe


def test_codes_of_workers_differ() -> None:
    marks = [mark_of(number) for number in range(200)]
    assert len(set(marks)) == 200
    assert {len(mark) for mark in marks} == {2}
    assert set("".join(marks)) <= set(ALPHABET)


def test_a_plan_and_figures_survive_the_pipe(open_house) -> None:
    plan = Plan(Options(seed=3, bots=2, arena="moon"), memory=Path("post-mortem"), seats=5)
    assert plan_from_plain(pipe.unpack(pipe.pack(plan_to_plain(plan))[4:])) == plan
    house = open_house()
    house.settle([house.come("Ana")])
    figures = ProcessFigures(
        worker=1, pid=2, port=3, alive=True, seconds=4.0, cpu=0.5, memory=6, bytes_in=7, bytes_out=8, unsent=9,
        ignored={"forged": 1}, ticks=10, late=0.1, dropped=0, failures=0, crashes=0, reservations=1, expired=0,
        refused=0, standstills=0, rooms=house.rooms.room_figures(), notes=[Note(1, 2.0, "joined", "Ana came")],
    )  # fmt: skip
    assert ProcessFigures.from_plain(pipe.unpack(pipe.pack(figures.plain())[4:])) == figures


@given(st.binary(max_size=200))
def test_any_bytes_in_a_pipe_are_messages_or_its_end(content: bytes) -> None:
    async def scene() -> None:
        stream = asyncio.StreamReader()
        stream.feed_data(content)
        stream.feed_eof()
        try:
            while await pipe.read(stream) is not None:
                pass
        except pipe.PipeError as error:
            assert str(error)  # noqa: PT017

        taken: list[object] = []
        end = asyncio.Event()

        def take(said: pipe.Said | None) -> None:
            taken.append(said)
            if said is None:
                end.set()

        worker = pipe.WorkerPipe(io.BytesIO(content), io.BytesIO(), take)
        await end.wait()
        worker.close()

    asyncio.run(scene())
