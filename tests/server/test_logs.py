"""What is logged: for people and programs, with fields, not too much, and never a secret."""

import asyncio
import io
import json
import logging
import os
import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.server.limiter import MOST_KINDS, Limiter
from engine.server.logs import MOST_WAITING, Entry, about, as_json, as_text, open_logs
from engine.server.redaction import HIDDEN, Redaction, one_line
from engine.server.secret import Secret

log = logging.getLogger("tickwire.test")
KEY = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Stuck(io.StringIO):
    """A pipe that nobody reads until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str, /) -> int:
        self.go.wait(10)
        return super().write(text)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# Two forms


def test_programs_get_a_json_object_a_line() -> None:
    stream = io.StringIO()
    with open_logs(stream=stream):
        log.warning("%s was kicked", "Ana", extra={"tick": 3})
        log.debug("not this")
    (line,) = lines(stream)
    assert (line["level"], line["logger"], line["message"], line["tick"]) == (
        "warning",
        "tickwire.test",
        "Ana was kicked",
        3,
    )
    assert line["time"].endswith("Z")


def test_people_get_text_with_colour_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, format, coloured in ((Terminal(), "auto", True), (io.StringIO(), "human", False)):
        with open_logs(stream=stream, format=format), about(room="k3f9"):
            log.error("it broke")
        text = stream.getvalue()
        assert ("\x1b[31m" in text) is coloured
        assert "it broke  " in text
        assert "room=k3f9" in text
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with open_logs(stream=stream):
        log.error("it broke")
    assert "\x1b" not in stream.getvalue()


def test_the_forms_of_a_line() -> None:
    entry = Entry(1_700_000_000.25, "info", "a.b", "hi", {"room": "x y", "peer": 3, "level": "no"}, "Trace\n  back")
    assert json.loads(as_json(entry)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "info",
        "logger": "a.b",
        "message": "hi",
        "room": "x y",
        "peer": 3,
        "exception": "Trace\n  back",
    }
    first, *rest = as_text(entry).split("\n")
    assert first[8:] == '.250 info     hi  room="x y" peer=3 level=no'
    assert rest == ["    Trace", "      back"]


def test_exceptions_and_wrong_arguments_are_logged_all_the_same() -> None:
    stream = io.StringIO()
    with open_logs(stream=stream):
        try:
            raise RuntimeError("boom")
        except RuntimeError:
            log.exception("a handler raised")
        log.info("%d of %d", "x")
    raised, wrong = lines(stream)
    assert raised["exception"].startswith("Traceback")
    assert raised["exception"].endswith("RuntimeError: boom")
    assert wrong["message"] == "%d of %d ('x',)"


# Fields


def test_fields_hold_inside_and_in_tasks_started_there() -> None:
    stream = io.StringIO()

    async def scene() -> None:
        async def task() -> None:
            log.info("in a task")

        with about(room="k3f9"):
            with about(peer=7):
                log.info("both")
                await asyncio.create_task(task())
            log.info("room")
        log.info("none")

    with open_logs(stream=stream):
        asyncio.run(scene())
    found = {line["message"]: (line.get("room"), line.get("peer")) for line in lines(stream)}
    assert found["both"] == found["in a task"] == ("k3f9", 7)
    assert found["room"] == ("k3f9", None)
    assert found["none"] == (None, None)


# Not too much


def test_messages_of_one_template_are_limited_and_counted() -> None:
    now = [0.0]
    stream = io.StringIO()
    with open_logs(stream=stream, limiter=Limiter(3, 10.0), clock=lambda: now[0]) as logs:
        for number in range(10):
            log.warning("junk from %d", number)
        log.info("something else")
        now[0] = 10.0
        logs.sweep()
        log.warning("junk from %d", 11)
        log.warning("junk from %d", 12)
    said = [line["message"] for line in lines(stream)]
    assert said == [
        *(f"junk from {number}" for number in range(3)),
        "something else",
        "7 more like this: junk from %d",
        "junk from 11",
        "junk from 12",
    ]


def test_one_handler_that_raises_does_not_hide_another() -> None:
    class Failure:
        def __str__(self) -> str:
            return "a handler raised"

    def first() -> None:
        raise RuntimeError("first")

    def second() -> None:
        raise RuntimeError("second")

    stream = io.StringIO()
    with open_logs(stream=stream, limiter=Limiter(2, 10.0), clock=lambda: 0.0):
        for handler in (first, first, first, first, second):
            try:
                handler()
            except RuntimeError as error:
                log.error("%s", Failure(), exc_info=error)
    raised = [line["exception"].splitlines()[-1] for line in lines(stream) if "exception" in line]
    assert raised == ["RuntimeError: first"] * 2 + ["RuntimeError: second"]
    assert lines(stream)[-1]["message"].startswith("2 more like this: Failure (RuntimeError at ")


def test_what_is_held_back_is_told_of_at_the_end() -> None:
    stream = io.StringIO()
    with open_logs(stream=stream, limiter=Limiter(1, 10.0), clock=lambda: 0.0):
        for _ in range(5):
            log.error("again")
    assert [line["message"] for line in lines(stream)] == ["again", "4 more like this: again"]
    assert lines(stream)[1]["level"] == "error"


def test_a_limiter_remembers_only_so_many_kinds() -> None:
    limiter = Limiter(1, 10.0)
    for number in range(3 * MOST_KINDS):
        assert limiter.admit(f"kind {number}", 0.0)
    assert limiter.ended(10.0) == []
    assert limiter.admit("kind 0", 10.0)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 4))))
def test_every_message_is_let_through_or_counted_once(steps: list[tuple[str, float]]) -> None:
    limiter = Limiter(2, 5.0)
    now, passed, told = 0.0, 0, 0
    for kind, later in steps:
        now += later
        told += sum(count for _, count in limiter.ended(now))
        passed += limiter.admit(kind, now)
    told += sum(count for _, count in limiter.end_all())
    assert passed + told == len(steps)


def test_a_stream_that_stands_still_holds_nobody_up_and_the_loss_is_told() -> None:
    stream = Stuck()
    with open_logs(stream=stream, limiter=Limiter(10**9, 10.0)):
        for number in range(MOST_WAITING + 100):
            log.info("line %d", number)
        stream.go.set()
    said = [line["message"] for line in lines(stream)]
    assert len(said) >= MOST_WAITING
    lost = sum(line.get("lost", 0) for line in lines(stream))
    assert lost > 0
    assert lost + sum(line.startswith("line ") for line in said) == MOST_WAITING + 100


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_went_away_is_no_reason_to_stop() -> None:
    read, write = os.pipe()
    stream = os.fdopen(write, "w")
    with open_logs(stream=stream, format="json"):
        os.close(read)
        log.error("nobody hears this")
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_logging_is_as_before_when_it_is_over() -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    with open_logs(stream=io.StringIO(), level="debug") as logs:
        assert (logs.verbosity, root.level) == ("debug", logging.DEBUG)
        logs.verbosity = "error"
        assert not log.isEnabledFor(logging.WARNING)
    assert (root.level, root.handlers) == before


# Never a secret


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"join tickwire://203.0.113.9:7777?key={KEY} now", f"join tickwire://203.0.113.9:7777?key={HIDDEN} now"),
        (f"'tickwire://[::1]:7777/?key={KEY}'", f"'tickwire://[::1]:7777/?key={HIDDEN}'"),
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {HIDDEN}"),
        ("GET /kick?token=abc&peer=3", f"GET /kick?token={HIDDEN}&peer=3"),
        ('{"token": "abc", "peer": 3}', f'{{"token": {HIDDEN}, "peer": 3}}'),
        ("OpsSettings(password='a b')", f"OpsSettings(password={HIDDEN})"),
        (f"key {'0a' * 32}", f"key {HIDDEN}"),
        ("-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----", HIDDEN),
        ("the password was open-sesame!", f"the password was {HIDDEN}!"),
        ("no token: it expired", "no token: it expired"),
    ],
)
def test_keys_and_tokens_are_taken_out(said: str, left: str) -> None:
    assert Redaction([Secret("open-sesame"), Secret("x")])(said) == left


def test_secrets_are_taken_out_of_messages_fields_and_exceptions() -> None:
    stream = io.StringIO()
    with open_logs(stream=stream, secrets=[Secret("open-sesame")], limiter=Limiter(1, 10.0)) as logs:
        for _ in range(2):
            try:
                raise RuntimeError("given open-sesame")
            except RuntimeError:
                log.exception("open-sesame %s", f"tickwire://h:1?key={KEY}", extra={"said": ["open-sesame"]})
        logs.hide([Secret("another-one")])
        log.info("another-one")
    assert "sesame" not in stream.getvalue()
    assert KEY not in stream.getvalue()
    assert "another-one" not in stream.getvalue()
    assert len(lines(stream)) == 3


@given(st.text(alphabet="ab c=:&?\"'\n\x1b", max_size=60), st.text(alphabet="ab c=:&\n", max_size=60))
def test_a_secret_is_nowhere_in_what_is_left(before: str, after: str) -> None:
    assert "Zq9!kk" not in Redaction([Secret("Zq9!kk")])(f"{before}Zq9!kk{after}")


def test_what_a_player_is_called_cannot_move_the_cursor_or_make_a_line() -> None:
    name = "Ana\x1b[2J\n12:00:00 error fake\u202e"
    text = as_text(Entry(0.0, "info", "x", f"{name} joined", {"name": name}))
    assert text.isprintable()
    assert "Ana\\x1b[2J\\n12:00:00 error fake\\u202e joined" in text
    assert one_line("é ☃") == "é ☃"


def test_a_stream_of_few_letters_gets_the_others_written_out() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    with open_logs(stream=stream, format="human"):
        log.info("é ☃")
    assert b"\\xe9 \\u2603" in raw.getvalue()


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    with open_logs(format="json"):
        log.info("here")
    assert '"here"' in capsys.readouterr().err
    assert sys.stderr is not None
