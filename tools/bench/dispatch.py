"""Events: three handlers called for one event; ten thousand events made, posted and delivered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.events import Dispatcher
from tools.bench.figure import Figure, rival
from tools.bench.peers import peer

CALLS = 10_000


@dataclass(slots=True)
class Hit:
    damage: int


def dispatch() -> Iterator[Figure]:
    """One event to three handlers, against a bare loop over them and four event libraries."""

    def first(context: object, event: object) -> None: ...
    def second(context: object, event: object) -> None: ...
    def third(context: object, event: object) -> None: ...

    handlers = (first, second, third)
    dispatcher: Dispatcher[None] = Dispatcher(None)
    for handler in handlers:
        dispatcher.subscribe(Hit, handler)
    event = Hit(1)

    def ours() -> None:
        for _ in range(CALLS):
            dispatcher.trigger(event)

    def bare_loop() -> None:
        for _ in range(CALLS):
            for handler in handlers:
                handler(None, event)

    contenders = {"ours": ours, "bare loop": bare_loop, **_peers(handlers, event)}
    best = {name: seconds / CALLS * 1e6 for name, seconds in rival(contenders).items()}
    mine = best.pop("ours")
    for name, theirs in best.items():
        yield Figure("dispatch", mine, "µs", name, theirs, "<= 2.0" if name == "bare loop" else "<= 1.0")


def dispatch_post() -> Iterator[Figure]:
    """Make, post and deliver ten thousand typed events."""

    def handler(context: object, event: Hit) -> None: ...

    dispatcher: Dispatcher[None] = Dispatcher(None)
    dispatcher.subscribe(Hit, handler)

    def ours() -> None:
        post = dispatcher.post
        for i in range(CALLS):
            post(Hit(i))
        dispatcher.deliver()

    contenders: dict[str, Any] = {"ours": ours}
    if esper := peer("esper"):

        def on_hit(damage: int) -> None: ...

        esper.set_handler("hit", on_hit)

        def theirs() -> None:
            for i in range(CALLS):
                esper.dispatch_event("hit", i)

        contenders["esper.dispatch_event"] = theirs
    best = {name: seconds / CALLS * 1e6 for name, seconds in rival(contenders).items()}
    mine = best.pop("ours")
    if not best:
        yield Figure("dispatch-post", mine, "µs")
    for name, value in best.items():
        yield Figure("dispatch-post", mine, "µs", name, value, "<= 1.5")


def _peers(handlers: tuple[Any, ...], event: object) -> dict[str, Any]:
    contenders: dict[str, Any] = {}
    if esper := peer("esper"):
        for handler in handlers:
            esper.set_handler("bench-hit", handler)

        def with_esper() -> None:
            for _ in range(CALLS):
                esper.dispatch_event("bench-hit", None, event)

        contenders["esper"] = with_esper
    if pyee := peer("pyee"):
        emitter = pyee.EventEmitter()
        for handler in handlers:
            emitter.on("hit", handler)

        def with_pyee() -> None:
            for _ in range(CALLS):
                emitter.emit("hit", None, event)

        contenders["pyee"] = with_pyee
    if pyglet_event := peer("pyglet.event"):
        pyglet_dispatcher = type("Source", (pyglet_event.EventDispatcher,), {})
        pyglet_dispatcher.register_event_type("on_hit")
        source = pyglet_dispatcher()
        for handler in handlers:
            source.push_handlers(on_hit=handler)

        def with_pyglet() -> None:
            for _ in range(CALLS):
                source.dispatch_event("on_hit", None, event)

        contenders["pyglet"] = with_pyglet
    if blinker := peer("blinker"):
        signal = blinker.Signal()
        for handler in handlers:
            signal.connect(_keyword_event(handler), weak=False)

        def with_blinker() -> None:
            for _ in range(CALLS):
                signal.send(None, event=event)

        contenders["blinker"] = with_blinker
    return contenders


def _keyword_event(handler: Any) -> Any:
    """blinker passes the event by name."""

    def receive(sender: object, event: object) -> None: ...

    return receive
