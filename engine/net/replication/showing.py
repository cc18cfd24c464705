"""The plugin that makes a scene show a room: others a moment in the past, what is one's own at once.

A client has two worlds. In the one shown, the presentation runs and entities mirror the server's; in the other, the
prediction, the rules run ahead of the server, and run again where they went wrong. Nobody sees the second: what is
shown of it is copied, and what happens in it is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.app import App, Begin, Commanded, End, Game, Plugin, Scene, Tick, Time
from engine.ecs import Entity, World
from engine.events import OnError, Phase
from engine.net.connection.routing import routing
from engine.net.multiplayer import Multiplayer, Withdrawn, multiplayer_of
from engine.net.replication.mirror import Mirror
from engine.net.replication.participant import Participant
from engine.net.replication.prediction import Prediction
from engine.net.replication.telling import ResourceCopy
from engine.net.wire.errors import ProtocolError

SERVERS_IDS = 1 << 16
"""Entity indices below are the server's; what a client brings about first has those from here on."""


class Showing:
    """What a client's scene shows of a room. A resource of its world."""

    def __init__(self, game: Game, participant: Participant, clock: Callable[[], float], on_error: OnError) -> None:
        self.participant = participant
        self.game = game
        self.view_time = 0.0
        """The server's tick that others are shown at."""
        self._multiplayer: Multiplayer = multiplayer_of(game)
        self._clock = clock
        self._on_error = on_error
        self._commands: list[object] = []
        self._replica: object = None
        self._reconciled = -1
        self._counted = 0
        self.plugin = self._make_plugin()

    def _make_plugin(self) -> Plugin:
        plugin = Plugin("net.showing", needs=[routing])
        plugin.setup(self._prepare)
        plugin.on(Begin, phase=Phase.EARLY, priority=900)(self._begin)
        commanded: Any = Commanded
        for kind in self.participant.protocol.declarations.commands:
            plugin.on(commanded[kind], phase=Phase.EARLY)(self._note)
        plugin.on(Tick, phase=Phase.EARLY, priority=900)(self._tick)
        plugin.on(End, phase=Phase.LATE, priority=-900)(self._jump)
        return plugin

    def _prepare(self, world: World) -> None:
        world.mirror(SERVERS_IDS)
        world.insert(self)
        world.insert(self.participant.figures)
        world.resource(Time).tick = self.participant.first_tick(self._clock())
        self._enter(world)
        self._multiplayer.seated(world, self.participant.player)

    def _enter(self, world: World) -> None:
        """Begin with what this connection brings; what an earlier one brought goes."""
        participant = self.participant
        self._replica = participant.replica
        self.mirror = Mirror(participant.protocol, world, participant.replica)
        participant.others = world.resource(Scene).receive
        self._foresee(world)

    def _foresee(self, world: World) -> None:
        """Begin to predict."""
        participant = self.participant
        scene = self._predicting_scene()
        self.prediction = Prediction(
            participant.protocol,
            scene,
            participant.player,
            participant.replica,
            Mirror(participant.protocol, scene.world, participant.replica),
        )
        self.mirror.aliases = self.prediction.aliases
        self._reconciled = -1
        self._counted = 0

    def _predicting_scene(self) -> Scene:
        options = self.participant.options
        scene = Scene(
            *(self._multiplayer.prediction or self.game.rules)(options),
            name=f"{self.game.name} ahead",
            resources=(self._multiplayer.resources or self.game.resources)(options),
            on_error=self._on_error,
        )
        _clear(scene.world)  # what the rules set up is the server's to tell of: here it would stand there twice
        scene.world.mirror(SERVERS_IDS)
        return scene

    def _begin(self, world: World, begin: Begin) -> None:
        participant = self.participant
        if participant.replica is not self._replica:
            _clear(world)
            self._enter(world)
            return
        now = self._clock()
        app = world.find_resource(App)
        if app is not None:
            step = app.step
            step.speed = participant.lead.steer(now, begin.number - 1 + max(1, step.waiting) + step.alpha)
        self.view_time = view = participant.playout.at(now)
        self._copy_resources(world, view)
        state = participant.latest
        if state is not None and state.tick != self._reconciled:
            self._reconciled = state.tick
            self.prediction.reconcile(state)
        self.mirror.show(view, self.prediction.shown)
        self._tell(world, view)

    def _copy_resources(self, world: World, view: float) -> None:
        told = self.participant.changes(view)
        if told:
            ResourceCopy.apply(told, world)
            ResourceCopy.apply(told, self.prediction.scene.world)

    def _tell(self, world: World, view: float) -> None:
        """Post the events of ticks that are shown now, but those this player's own prediction has told already."""
        participant = self.participant
        while participant.happened and participant.happened[0][0] <= view:
            _, payload = participant.happened.popleft()
            try:
                events = participant.events.read(payload, world)
            except ProtocolError:
                participant.malformed += 1
                continue
            for told, event in events:
                if told.mine and getattr(event, told.mine) == participant.player:
                    continue
                for name in told.entities:
                    entity: Entity = getattr(event, name)
                    alias = self.prediction.aliases.get(entity.id)
                    if alias is not None:
                        entity.id = alias
                world.post(event)

    def _note(self, world: World, commanded: Commanded[Any]) -> None:
        if commanded.player == self.participant.player:
            self._commands.append(commanded.command)

    def _tick(self, world: World, tick: Tick) -> None:
        commands, self._commands = self._commands, []
        participant, prediction = self.participant, self.prediction
        commands = participant.outbox.as_read(commands)  # a prediction from finer numbers would be corrected
        participant.command(tick.number, commands, self.view_time)
        prediction.advance(tick.number, commands, self.view_time)
        prediction.present(world, self.mirror.left)
        for event in prediction.events:
            world.post(event)
        prediction.events.clear()
        withdrawn: Any = Withdrawn
        for event in prediction.withdrawn:
            world.post_as(withdrawn[type(event)], Withdrawn(event))
        prediction.withdrawn.clear()
        self._note_figures()

    def _note_figures(self) -> None:
        self.participant.take_figures()
        figures, prediction = self.participant.figures, self.prediction
        figures.corrections += prediction.corrections - self._counted
        self._counted = prediction.corrections
        figures.prediction_error = prediction.error
        figures.correction = prediction.visible

    def _jump(self, world: World, end: End) -> None:
        """After a standstill of one of the sides, the clock is too far off to be brought there by its speed."""
        jump = self.participant.lead.jump
        if jump:
            world.resource(Time).tick += jump
            before = self.prediction
            self._foresee(world)
            self.prediction.succeed(before, world)


def _clear(world: World) -> None:
    """Despawn all shared entities, to leave their ids to the server's."""
    for entity in list(world.rows(Entity)):
        if entity.alive and not entity.local:
            entity.despawn()


def client_scene(
    game: Game,
    participant: Participant,
    clock: Callable[[], float],
    *,
    plugins: Sequence[Plugin] = (),
    resources: Sequence[object] = (),
    rate: float = 60.0,
    on_error: OnError = OnError.RAISE,
) -> Scene:
    """The scene of a client that is `ready`: the room as `plugins` show it, steered by what they command.

    `clock` is the one whose times `participant` was given.
    """
    showing = Showing(game, participant, clock, on_error)
    needed = (multiplayer_of(game).resources or game.resources)(participant.options)
    return Scene(
        showing.plugin,
        *plugins,
        name=game.name,
        rate=rate,
        resources=[*needed, *resources],
        on_error=on_error,
    )
