"""What is seen and heard never changes what happens; and it shows what happened."""

from __future__ import annotations

from engine.app import App, Frame, Options, Plugin, Scene
from engine.ecs import Entity, World, component_hashes
from engine.events import Dispatcher
from engine.graphics import Camera, DrawOverlay, DrawWorld, NullCanvas, NullRenderer, Particles, Screen
from engine.input import BindingsFile, Key
from engine.net import Withdrawn
from engine.sound import NullMixer, PlaySound, Speakers, StopSound
from engine.testing import Harness, InlineExecutor, play
from games.ricochet.components import Player, Ship
from games.ricochet.events import Bounced, Cause, Killed, Surface
from games.ricochet.game import GAME
from games.ricochet.match import Match, Mode
from games.ricochet.presentation.hitstop import SLOW
from games.ricochet.presentation.profiler import Profiler
from games.ricochet.presentation.settings import Settings

OPTIONS = Options(seed=11, bots=6)


def seen(options: Options = OPTIONS, *extra: Plugin) -> Scene:
    return GAME.scene(options, [*GAME.view(options), *extra], resources=[Screen(NullRenderer())])


def look(scene: Scene, alpha: float = 0.5, dt: float = 1 / 60) -> None:
    scene.run_frame(Frame(alpha, dt, scene.time.seconds))


def texts(world: World) -> list[str]:
    """What the overlay says now."""
    canvas = NullCanvas(1280.0, 720.0)
    dispatcher: Dispatcher[World] = world.resource(Scene).dispatcher
    dispatcher.trigger(DrawOverlay(canvas, Frame(1.0, 1 / 60, 0.0)))
    return canvas.texts


def test_a_match_that_is_watched_is_the_same_match() -> None:
    bare, watched = GAME.scene(OPTIONS), seen()
    for tick in range(360):
        bare.run_tick()
        watched.run_tick()
        if tick % 3 == 0:
            look(watched, alpha=tick % 10 / 10)
    assert component_hashes(watched.world) == component_hashes(bare.world)


def test_images_in_between_change_nothing() -> None:
    scene = seen()
    for _ in range(300):
        scene.run_tick()
    before = component_hashes(scene.world)
    for number in range(40):
        look(scene, alpha=number / 40, dt=0.05)
    assert component_hashes(scene.world) == before


def test_tools_and_settings_change_nothing() -> None:
    bare = GAME.scene(OPTIONS)
    watched = Harness(App(executor=InlineExecutor()))
    watched.app.push(seen())
    watched.world.resource(Settings).camera_kick = False
    watched.tap(Key.F2)
    watched.tap(Key.F3)
    for _ in range(240):
        bare.run_tick()
        watched.run_ticks(1)
        watched.frame()
    assert component_hashes(watched.world) == component_hashes(bare.world)


def test_every_mode_and_arena_can_be_drawn() -> None:
    for mode in GAME.modes:
        for arena in GAME.arenas:
            scene = seen(Options(seed=2, bots=4, mode=mode, arena=arena))
            for _ in range(30):
                scene.run_tick()
                look(scene)
            assert "ROUND 1" in texts(scene.world)


def test_a_full_table_names_everyone_on_the_podium() -> None:
    scene = seen(Options(seed=2, bots=31, humans=1, mode=Mode.TEAMS.value))
    for _ in range(200):
        scene.run_tick()
    scene.world.resource(Match).left = 1 / 120
    scene.run_tick()
    assert scene.world.resource(Match).part.value == "podium"
    said = texts(scene.world)
    players = [player.name for player in scene.world.rows(Player)]
    assert len(players) == 32
    assert set(players) <= set(said)
    assert any(text == "DRAW" or text.startswith("TEAM ") for text in said)


def killed(seat: int, by: int, bounces: int) -> Killed:
    return Killed(seat, by, bounces, Cause.DISC, 400.0, 400.0)


def pilot_in_a_match() -> Harness:
    game = play(GAME, Options(seed=3, bots=3, humans=1), extra=GAME.view(OPTIONS))
    game.run_ticks(200)
    game.advance(0.0)
    return game


def test_a_third_bounce_kill_is_staged_for_who_made_it() -> None:
    game = pilot_in_a_match()
    heard = game.events(PlaySound)
    game.world.post(killed(1, 0, 3))
    game.run_ticks(1)
    game.frame()
    assert game.app.step.speed == SLOW
    assert "RICOCHET!" in texts(game.world)
    assert "kill_ricochet" in [sound.name for sound in heard]
    for _ in range(20):
        game.advance(1 / 60)
        game.frame()
    assert game.app.step.speed == 1.0


def test_what_a_prediction_takes_back_is_heard_no_more() -> None:
    game = pilot_in_a_match()
    heard, ended = game.events(PlaySound), game.events(StopSound)
    disc = next(iter(game.world.rows(Entity, having=(Ship,))))
    bounced = Bounced(disc, 0, 2, Surface.WALL, 10.0, 20.0, 1.0, 0.0)
    game.world.post(bounced)
    game.run_ticks(1)
    game.world.post_as(Withdrawn[Bounced], Withdrawn(bounced))
    game.run_ticks(1)
    assert "bounce_2" in [sound.name for sound in heard]
    assert [sound.name for sound in ended] == ["bounce_2"]


def test_nobody_elses_kill_stops_the_world_nor_ones_own_where_it_is_switched_off() -> None:
    game = pilot_in_a_match()
    game.world.post(killed(1, 2, 3))
    game.run_ticks(1)
    assert game.app.step.speed == 1.0
    game.world.resource(Settings).hit_stop = False
    game.world.post(killed(1, 0, 3))
    game.run_ticks(1)
    assert game.app.step.speed == 1.0


def test_leaving_while_the_world_stands_still_sets_it_going() -> None:
    game = pilot_in_a_match()
    game.world.post(killed(1, 0, 3))
    game.run_ticks(1)
    game.tap(Key.ESCAPE)
    game.app.step.speed = SLOW
    game.run_ticks(1)
    assert game.app.scene.name == "pause"
    assert game.app.step.speed == 1.0


def test_words_over_the_arena_go_also_while_nobody_looks() -> None:
    scene = seen()
    for _ in range(200):
        scene.run_tick()
    look(scene)
    entities = len(scene.world)
    for _ in range(50):
        scene.world.post(killed(1, 2, 2))
    scene.run_tick()
    assert len(scene.world) > entities + 40
    for _ in range(120):
        scene.run_tick()
    assert len(scene.world) < entities + 40


def test_camera_kick_is_a_setting() -> None:
    scene = seen()
    scene.world.resource(Settings).camera_kick = False
    look(scene)
    assert scene.world.resource(Camera).effects is False


def test_the_match_behind_the_menu_has_music_and_no_noise() -> None:
    mixer = NullMixer()
    app = App(executor=InlineExecutor())
    app.shared += [Screen(NullRenderer()), Speakers(mixer), BindingsFile(None)]
    assert GAME.opening is not None
    app.push(GAME.opening(app, Options(seed=5)))
    heard: list[PlaySound] = []
    app.scenes[0].dispatcher.subscribe(PlaySound, lambda _, sound: heard.append(sound))
    app.run_ticks(400)
    assert heard == []
    assert app.scenes[0].world.resource(Speakers).music is not None


class Clock:
    """Each look at it costs a millisecond."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def test_f3_shows_where_the_time_goes_and_leaves_nothing_behind() -> None:
    scene = GAME.scene(OPTIONS, GAME.view(OPTIONS), resources=[Screen(NullRenderer()), Profiler(Clock())])
    app = App(executor=InlineExecutor())
    app.push(scene)
    game = Harness(app)
    subscribed = sum(len(scene.dispatcher.subscriptions(key)) for key in scene.dispatcher.keys())  # noqa: SIM118
    game.tap(Key.F3)
    for _ in range(60):
        game.run_ticks(1)
        game.frame()
    said = texts(game.world)
    assert any("ticks/s" in text for text in said)
    assert any("events a tick" in text for text in said)
    assert "slowest handlers" in said
    assert any(text.endswith("(Frame)") for text in said)
    game.tap(Key.F3)
    game.run_ticks(1)
    assert scene.dispatcher.tracer is None
    assert sum(len(scene.dispatcher.subscriptions(key)) for key in scene.dispatcher.keys()) == subscribed  # noqa: SIM118
    assert not any("ticks/s" in text for text in texts(game.world))


def test_f2_draws_what_the_physics_sees() -> None:
    game = play(GAME, OPTIONS, pilot=False, extra=GAME.view(OPTIONS))
    game.run_ticks(5)
    assert drawn(game.world) == 0
    game.tap(Key.F2)
    game.run_ticks(1)
    assert drawn(game.world) > 0


def drawn(world: World) -> int:
    canvas = NullCanvas(1280.0, 720.0)
    world.resource(Scene).dispatcher.trigger(DrawWorld(canvas, Frame(1.0, 1 / 60, 0.0)))
    return canvas.calls.count("line")


def test_ships_have_pictures_and_explosions_have_sparks() -> None:
    scene = seen()
    for _ in range(60):
        scene.run_tick()
    assert all(len(list(ship.children)) == 5 for ship in scene.world.rows(Entity, having=(Ship,)))
    before = len(scene.world.resource(Particles))
    scene.world.post(killed(1, 2, 0))
    scene.run_tick()
    assert len(scene.world.resource(Particles)) > before + 50
