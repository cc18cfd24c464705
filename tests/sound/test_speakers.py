"""What is heard of what a world asks for: from which side, how loud, how often."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import App, Plugin, Tick
from engine.ecs import World, state_hash
from engine.sound import (
    Limit,
    Listener,
    NullMixer,
    PlayMusic,
    PlaySound,
    Speakers,
    StopMusic,
    StopSound,
    Volumes,
    sound,
)
from engine.sound.speakers import MOST_VOICES, near_pitch

STEP = 1 / 60


class Room:
    """An app whose world asks for sounds, and the mixer that gets them."""

    def __init__(self, length: float = 0.5) -> None:
        self.mixer = NullMixer(length=length)
        self.speakers = Speakers(self.mixer)
        self.volumes = Volumes()
        self.app = App(sound, resources=[self.speakers, self.volumes])
        self.listener = self.app.world.resource(Listener)

    def ask(self, *sounds: object) -> None:
        """Ask for all of these in one tick."""
        for wanted in sounds:
            self.app.post(wanted)
        self.app.run_ticks(1)

    def wait(self, seconds: float) -> None:
        self.app.run_ticks(round(seconds / STEP))


def test_a_sound_without_a_place_comes_from_the_middle() -> None:
    room = Room()
    room.ask(PlaySound("throw", volume=0.5))
    [voice] = room.mixer.played
    assert (voice.name, voice.left, voice.right, voice.pitch) == ("throw", 0.5, 0.5, 1.0)


def test_sides_and_distance() -> None:
    room = Room()
    room.listener.x, room.listener.y = 1000.0, 1000.0
    room.ask(
        PlaySound("near", x=1000.0, y=1100.0),
        PlaySound("left", x=700.0, y=1000.0),
        PlaySound("right", x=1300.0, y=1000.0),
        PlaySound("far", x=1000.0, y=2100.0),
        PlaySound("beyond", x=1000.0, y=9000.0),
    )
    heard = {voice.name: voice for voice in room.mixer.played}
    assert (heard["near"].left, heard["near"].right) == (1.0, 1.0)
    assert heard["left"].left == 1.0
    assert heard["left"].right < 0.9
    assert heard["right"].right == heard["left"].left
    assert heard["right"].left == pytest.approx(heard["left"].right)
    assert 0.1 < heard["far"].left < 0.5
    assert "beyond" not in heard


@given(*[st.floats(-1e5, 1e5)] * 4)
def test_no_ear_hears_more_than_the_recording(x: float, y: float, there_x: float, there_y: float) -> None:
    left, right = Listener(x=x, y=y).hears(there_x, there_y)
    assert 0.0 <= left <= 1.0
    assert 0.0 <= right <= 1.0


def test_thirty_bounces_in_a_tick_are_one_the_loudest() -> None:
    room = Room()
    room.ask(*[PlaySound("bounce", volume=n / 30) for n in range(1, 31)], PlaySound("dash"))
    assert sorted(room.mixer.names) == ["bounce", "dash"]
    assert max(voice.left for voice in room.mixer.played if voice.name == "bounce") == 1.0


def test_a_sound_that_just_began_can_be_taken_back() -> None:
    room = Room()
    room.ask(PlaySound("hit"))
    room.wait(0.1)
    room.ask(PlaySound("hit"), PlaySound("dash"))
    first, second = (voice.number for voice in room.speakers.voices if voice.name == "hit")
    room.ask(StopSound("hit"), StopSound("never played"))
    assert [voice.number for voice in room.speakers.voices if voice.name == "hit"] == [first]
    assert room.mixer.stopped == [second]
    room.wait(0.3)
    room.ask(StopSound("hit"), StopSound("dash", within=0.2))
    assert room.mixer.stopped == [second], "they began too long ago"


def test_one_sound_again_after_its_interval() -> None:
    room = Room()
    for _ in range(6):  # a tick apart, 0.1 s in all
        room.ask(PlaySound("bounce"))
    assert len(room.mixer.played) == 2
    room.wait(0.05)
    room.ask(PlaySound("bounce"))
    assert len(room.mixer.played) == 3


def test_a_near_bounce_is_heard_after_a_far_one() -> None:
    room = Room()
    room.ask(PlaySound("bounce", volume=0.3))
    room.ask(PlaySound("bounce", volume=0.5))
    room.ask(PlaySound("bounce", volume=0.6))
    assert [voice.left for voice in room.mixer.played] == [0.3, 0.6]


def test_the_oldest_voice_gives_way() -> None:
    room = Room(length=10.0)
    room.speakers.limits["bounce"] = Limit(voices=2, interval=0.0)
    for _ in range(4):
        room.ask(PlaySound("bounce"))
    assert len(room.mixer.played) == 4
    assert room.mixer.stopped == [1, 2]
    assert len(room.speakers.voices) == 2


def test_with_all_voices_busy_the_quietest_gives_way() -> None:
    room = Room(length=10.0)
    room.ask(*[PlaySound(f"s{n}", volume=0.5 + n / 100) for n in range(MOST_VOICES)])
    assert len(room.mixer.played) == MOST_VOICES
    room.ask(PlaySound("quiet", volume=0.1))
    assert len(room.mixer.played) == MOST_VOICES
    room.ask(PlaySound("loud"))
    assert len(room.mixer.played) == MOST_VOICES + 1
    assert len(room.mixer.stopped) == 1
    assert len(room.speakers.voices) == MOST_VOICES
    room.wait(11.0)
    room.ask(PlaySound("quiet", volume=0.1))
    assert room.mixer.names[-1] == "quiet"
    assert len(room.speakers.voices) == 1


def test_volumes() -> None:
    room = Room()
    room.volumes.effects = 0.5
    room.ask(PlaySound("throw"), PlayMusic("music", volume=0.4))
    assert room.mixer.played[0].left == pytest.approx(0.25)
    assert room.mixer.music_volume == pytest.approx(0.4)
    room.volumes.master = 0.0
    room.ask(PlaySound("dash"))
    assert room.mixer.names == ["throw"]
    room.app.frame(0.0)
    assert room.mixer.music_volume == 0.0
    room.volumes.master, room.volumes.music = 0.5, 0.5
    room.app.frame(STEP)
    assert room.mixer.music_volume == pytest.approx(0.4 / 16)


def test_music_goes_on_and_changes() -> None:
    room = Room()
    room.ask(PlayMusic("menu"), PlayMusic("menu"))
    assert room.mixer.music == "menu"
    room.ask(PlayMusic("match"))
    assert room.mixer.music == "match"
    room.ask(StopMusic(fade=1.0))
    assert room.mixer.music is None
    room.ask(PlayMusic("match"))
    assert room.mixer.music == "match"


def test_the_same_music_at_another_volume() -> None:
    room = Room()
    room.ask(PlayMusic("menu"))
    room.ask(PlayMusic("menu", volume=0.5))
    room.app.frame(0.0)
    assert room.mixer.music_volume == 0.5


def test_pitches_are_rounded_to_quarter_semitones() -> None:
    room = Room()
    room.ask(*[PlaySound(f"s{n}", pitch=1.0 + n / 1000) for n in range(60)])
    assert len({voice.pitch for voice in room.mixer.played}) <= 5
    assert near_pitch(2.0) == 2.0
    assert near_pitch(1.5) == pytest.approx(1.5, rel=0.008)


@given(st.floats())
def test_any_pitch_can_be_played(pitch: float) -> None:
    assert 0.25 <= near_pitch(pitch) <= 4.0


@given(st.floats(), st.one_of(st.none(), st.floats()), st.one_of(st.none(), st.floats()))
def test_nonsense_is_not_heard(volume: float, x: float | None, y: float | None) -> None:
    room = Room()
    room.ask(PlaySound("s", volume=volume, x=x, y=y, pitch=math.nan))
    for voice in room.mixer.played:
        assert 0.0 <= voice.left <= 1.0
        assert 0.0 <= voice.right <= 1.0


def test_frames_are_the_clock_where_there_are_any() -> None:
    room = Room()
    room.app.frame(0.0)
    room.app.pause()
    for frame in range(1, 13):  # a paused menu: no ticks, a sound each frame
        room.app.post(PlaySound("ui_move"))
        room.app.advance(frame * STEP)
        room.app.frame(frame * STEP)
    assert 4 <= len(room.mixer.played) <= 6


def test_ticks_do_not_count_besides_frames() -> None:
    room = Room()
    for frame in range(13):  # two ticks a frame, as at double speed; frames are 1/60 s apart
        room.ask(PlaySound("bounce"))
        room.ask(PlaySound("bounce"))
        room.app.frame(frame * STEP)
    assert len(room.mixer.played) == 5  # at 0, and after every third frame


def test_a_world_without_speakers_is_silent() -> None:
    rules = Plugin("rules", needs=[sound])

    @rules.on(Tick)
    def noise(world: World, tick: Tick) -> None:
        world.post(PlaySound("bounce"))
        world.post(PlayMusic("music"))
        world.post(StopMusic())

    app = App(rules)
    app.run_ticks(3)
    app.frame(0.0)


def test_sounds_change_no_state() -> None:
    hashes: list[int] = []
    for resources in ([], [Speakers(NullMixer())]):
        app = App(sound, resources=resources)
        app.post(PlaySound("bounce"))
        app.run_ticks(5)
        hashes.append(state_hash(app.world))
    assert hashes[0] == hashes[1]
