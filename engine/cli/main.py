"""The `tickwire` command: one function a subcommand, each importing what it needs when it runs."""

from __future__ import annotations

import gc
import logging
import sys
from io import TextIOWrapper
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine import __version__
from engine.errors import TickwireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.cli.ops import Pages


def _finite(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse what a range of floats lets pass: nan and inf."""
    if value is not None and not isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds.")
    return value


class _Commands(click.Group):
    """Prints the engine's own errors as one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except TickwireError as error:
            click.echo(f"tickwire: {error}", err=True)
            ctx.exit(1)
        except BrokenPipeError:  # whoever read our output, such as `head`, has seen enough; click ends quietly
            raise
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            click.echo(f"tickwire: {what}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(130)


class _WithSettings(click.Command):
    """Has an option for every setting of a server besides its own; they are imported when it is run."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from engine.cli.serve import setting_options

        return [*setting_options(), *super().get_params(ctx)]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tickwire")
def main() -> None:
    """Play, replay and measure games made with the Tickwire engine.

    \b
    tickwire play                  a window with Ricochet; without a display, bots play headless
    tickwire serve                 host a match for others, without a window
    tickwire join INVITE           enter one
    tickwire replay match.twr      watch a recorded match again
    tickwire netcheck HOST:PORT    what is wrong between here and a server
    tickwire bench dispatch        measure the engine against its peers
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a console that lacks a sign such as × gets a question mark
            stream.reconfigure(errors="replace")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")


@main.command()
@click.argument("game", default="ricochet")
@click.option("--bots", type=click.IntRange(0, 32), default=None, help="How many bots play.  [default: 7, headless 8]")
@click.option("--level", default="normal", show_default=True, help="How well they play: easy, normal or hard.")
@click.option("--arena", default="", help="The map; the game's first if not given.")
@click.option("--mode", default="", help="How it is played: deathmatch or teams; the game's first if not given.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Start of all chance; same seed, same match.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=None,
    callback=_finite,
    help="Simulated seconds to play.",
)
@click.option("--headless", is_flag=True, help="No window: bots play as fast as they can, a table shows the score.")
@click.option("--screenshot", type=click.Path(path_type=Path), default=None, help="Where the picture goes (PNG).")
@click.option("--record", type=click.Path(path_type=Path), default=None, help="Where the replay goes (.twr).")
@click.option("--trace", type=click.Path(path_type=Path), default=None, help="Write which handler ran when (Perfetto).")
@click.option("--fullscreen", is_flag=True, help="Fill the screen; F11 toggles.")
@click.option("--mute", is_flag=True, help="No sound.")
def play(
    game: str,
    bots: int | None,
    level: str,
    arena: str,
    mode: str,
    seed: int | None,
    seconds: float | None,
    headless: bool,
    screenshot: Path | None,
    record: Path | None,
    trace: Path | None,
    fullscreen: bool,
    mute: bool,
) -> None:
    """Play GAME: a name such as ricochet, a module, or the path of a Python file with a GAME in it.

    In a window you fly; giving --bots, --level or --seed starts a match at once instead of the menu. Headless, bots
    play among themselves, and a screenshot and a replay are left in the current folder (GAME.png, GAME.twr).

    \b
    tickwire play --bots 3 --level hard
    tickwire play --headless --bots 8 --seconds 30 --seed 7 --record a.twr --screenshot a.png
    """
    from engine.cli.play import PlayOptions, run_play

    run_play(
        PlayOptions(
            game, bots, level, arena, mode, seed, seconds, headless, screenshot, record, trace, fullscreen, mute
        )
    )


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Re-run headless at full speed and compare the state after every tick.")
@click.option("--speed", type=click.FloatRange(0.1, 8), default=1.0, show_default=True, help="In a window: how fast.")
@click.option("--game", default=None, help="What it records, if not an installed game: a module or a Python file.")
def replay(path: Path, verify: bool, speed: float, game: str | None) -> None:
    """Play the recording at PATH again, in a window, or --verify it.

    In the window: space pauses, right arrow steps, up and down change the speed, escape ends.

    With --verify, prints `verified N ticks` and exits with 0; or names the first tick that differs and the component
    that does, and exits with 1.
    """
    from engine.cli.replay import run_replay, run_verify

    sys.exit(run_verify(path, game) if verify else run_replay(path, speed, game))


@main.command(cls=_WithSettings)
@click.argument("game", default="")
@click.option("--config", type=click.Path(path_type=Path), default=None, help="A TOML file with settings.")
@click.option("--check", is_flag=True, help="Say what is wrong with the settings, or what they are, and stop.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Start of all chance.")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=None, callback=_finite, help="End by itself."
)
@click.option("--record", type=click.Path(path_type=Path), default=None, help="Where a replay goes (.twr).")
def serve(
    game: str,
    config: Path | None,
    check: bool,
    seed: int | None,
    seconds: float | None,
    record: Path | None,
    **settings: object,
) -> None:
    """Host GAME without a window, ricochet if not said otherwise, and print the invite to give to players.

    What is not given as an option is taken from the environment, as in TICKWIRE_SERVER_NAME, else from the --config
    file, else as shown. Ctrl-C or SIGTERM lets rounds end, and nobody in; again, it ends at once.

    \b
    tickwire serve ricochet --bots 6
    tickwire serve --bind 0.0.0.0:7777 --public play.example.org --workers 2 --ops 127.0.0.1:9100
    tickwire serve --config server.toml --check
    """
    gc.disable()  # what is loaded stays: to look through it again and again takes a seventh of the start
    from engine.cli.serve import ServeOptions, run_serve, settings_from

    gc.enable()
    given = {**settings_from(settings), "rooms.game": game or None}
    sys.exit(run_serve(ServeOptions(given, config, check, seed, seconds, record)))


@main.command()
@click.argument("invite")
@click.option("--game", default="ricochet", show_default=True, help="A name, a module, or a Python file.")
@click.option("--name", default="", help="What to be called.")
@click.option("--spectate", is_flag=True, help="Only watch.")
@click.option("--password", "secret", default="", help="What the server asks for.")
@click.option("--network", "preset", default="", help="Feel a bad one: lan, home, wifi or mobile.")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=None, callback=_finite, help="End by itself."
)
@click.option("--screenshot", type=click.Path(path_type=Path), default=None, help="Where the last picture goes (PNG).")
@click.option("--fullscreen", is_flag=True, help="Fill the screen; F11 toggles.")
@click.option("--mute", is_flag=True, help="No sound.")
def join(
    invite: str,
    game: str,
    name: str,
    spectate: bool,
    secret: str,
    preset: str,
    seconds: float | None,
    screenshot: Path | None,
    fullscreen: bool,
    mute: bool,
) -> None:
    """Enter a room by its INVITE, in a window."""
    from engine.cli.join import JoinOptions, run_join

    sys.exit(run_join(JoinOptions(invite, game, name, spectate, secret, preset, seconds, screenshot, fullscreen, mute)))


@main.command()
@click.argument("invite")
@click.option("--game", default="ricochet", show_default=True, help="A name, a module, or a Python file.")
@click.option("--clients", type=click.IntRange(1, 1000), default=8, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=30.0, show_default=True, callback=_finite)
@click.option("--latency", type=click.FloatRange(0), default=0.0, metavar="MS", help="Added to each round trip.")
@click.option(
    "--jitter", type=click.FloatRange(0), default=0.0, metavar="MS", help="By so much it varies, up and down."
)
@click.option("--loss", type=click.FloatRange(0, 100), default=0.0, metavar="PCT", help="Lost in each direction.")
@click.option("--predicting", type=click.IntRange(0), default=4, show_default=True, help="How many predict, too.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
def bots(
    invite: str,
    game: str,
    clients: int,
    seconds: float,
    latency: float,
    jitter: float,
    loss: float,
    predicting: int,
    as_json: bool,
) -> None:
    """Have honest clients without a window play in a room, and report how it went.

    Each has the whole netcode. On a terminal, says how far they are. Exits with 1 if not all of them got in.

    \b
    tickwire bots 'tickwire://…' --clients 50 --seconds 60 --latency 80 --jitter 30 --loss 2
    """
    from engine.cli.bots import BotOptions, run_bots

    sys.exit(run_bots(BotOptions(invite, game, clients, seconds, latency, jitter, loss, predicting, as_json)))


@main.command()
@click.argument("target", metavar="HOST:PORT|INVITE")
@click.option("--password", "secret", default="", help="What the server asks for; needs an invite.")
@click.option("--seconds", type=click.FloatRange(1, 60), default=4.0, show_default=True, help="How long to measure.")
@click.option("--capture", type=click.Path(path_type=Path), default=None, help="Where the datagrams go (pcap).")
def netcheck(target: str, secret: str, seconds: float, capture: Path | None) -> None:
    """Go the way to a server as a player's game does, and say in words what is wrong.

    Name, TCP, HTTPS, connect token, UDP; then round trip, jitter, loss and the longest datagram. It takes a slot of
    the server for some seconds. Exits with 1 if something would keep a player from playing.

    \b
    tickwire netcheck 203.0.113.9:7777
    tickwire netcheck 'tickwire://203.0.113.9:7777?key=...'
    """
    from engine.cli.netcheck import run_netcheck

    sys.exit(run_netcheck(target, secret=secret, seconds=seconds, capture=capture))


@main.command()
@click.argument("path", metavar="FILE|-", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--live", is_flag=True, help="FILE is still being written: go on as it grows, until Ctrl-C.")
@click.option("--private-key", "key", type=click.Path(path_type=Path), help="A server's: 32 bytes, or 64 hex digits.")
@click.option("--token", "tokens", type=click.Path(path_type=Path), multiple=True, help="A client's connect token.")
@click.option("--protocol", metavar="MODULE:NAME", default="", help="To decode messages, as in games.chat:PROTOCOL.")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Only what comes from or goes to this port.")
def dissect(
    path: Path, live: bool, key: Path | None, tokens: tuple[Path, ...], protocol: str, port: int | None
) -> None:
    """Print the datagrams of a capture for people: a pcap file, or `-` for a live stream on standard input.

    Without a key, that is types, numbers and sizes. With the server's private key, or a client's token, it is acks,
    fragments, channels and, given the protocol, messages.

    \b
    tickwire dissect match.pcap --port 7777
    tcpdump -i any -U -w - udp port 7777 | tickwire dissect -
    tickwire netcheck HOST:PORT --capture way.pcap; tickwire dissect way.pcap --token way.pcap.token
    """
    from engine.cli.dissect import run_dissect

    sys.exit(run_dissect(path, live=live, key=key, tokens=tokens, protocol=protocol, port=port))


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of a table.")
@click.option("--list", "listing", is_flag=True, help="Name the benchmarks and stop.")
def bench(names: tuple[str, ...], as_json: bool, listing: bool) -> None:
    """Measure the engine against bare loops and other engines, all in this run on this machine.

    Peers are installed by `pip install 'tickwire[bench]'`; those missing are left out with a word.
    Exits with 1 if a figure misses its reach.
    """
    from engine.cli.bench import run_bench

    sys.exit(run_bench(names, as_json=as_json, listing=listing))


# A running server, by its pages


def _pages_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which server, and with what right."""
    for option in (
        click.option(
            "--token-file", type=click.Path(path_type=Path, dir_okay=False), help="Holds the token, and nothing else."
        ),
        click.option(
            "--config", type=click.Path(path_type=Path, dir_okay=False), help="The server's, for its [ops] settings."
        ),
    ):
        command = option(command)
    return command


_url_option = click.option("--url", default="", metavar="URL", help="Of the dashboard.  [http://127.0.0.1:9100]")
_words_option = click.option("--words", default="", help="What they are told.")


def _pages(url: str, config: Path | None, token_file: Path | None) -> Pages:
    from engine.cli.ops import Asked, open_pages

    return open_pages(Asked(url, config, token_file))


@main.command()
@click.argument("url", default="")
@click.option("--every", type=click.FloatRange(0.2, 3600), default=1.0, show_default=True, callback=_finite)
@click.option("--once", is_flag=True, help="One line, and stop.")
@_pages_options
def top(url: str, every: float, once: bool, config: Path | None, token_file: Path | None) -> None:
    """Watch a running server whose dashboard is at URL; in a pipe, a line every second.

    \b
    tickwire top
    tickwire top http://127.0.0.1:9100
    """
    from engine.cli.top import run_top

    sys.exit(run_top(_pages(url, config, token_file), every=every, once=once))


@main.command()
@click.argument("room", default="")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_url_option
@_pages_options
def rooms(room: str, as_json: bool, url: str, config: Path | None, token_file: Path | None) -> None:
    """List the rooms of a running server, or the players in ROOM."""
    from engine.cli.ops import show_rooms

    show_rooms(_pages(url, config, token_file), room, as_json=as_json)


@main.command()
@click.argument("room")
@click.argument("player")
@_words_option
@_url_option
@_pages_options
def kick(room: str, player: str, words: str, url: str, config: Path | None, token_file: Path | None) -> None:
    """Throw PLAYER out of ROOM: a name, or the number of a connection as `tickwire rooms ROOM` tells it."""
    from engine.cli.ops import kick

    kick(_pages(url, config, token_file), room, player, words)


@main.command()
@click.argument("room")
@click.argument("player")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True, callback=_finite)
@_words_option
@_url_option
@_pages_options
def ban(
    room: str, player: str, minutes: float, words: str, url: str, config: Path | None, token_file: Path | None
) -> None:
    """Throw PLAYER out of ROOM, and let nobody in from their address for a while."""
    from engine.cli.ops import kick

    kick(_pages(url, config, token_file), room, player, words, minutes)


@main.command()
@click.argument("room", default="")
@click.option("--deadline", type=click.FloatRange(0), default=None, callback=_finite, help="Seconds for rounds to end.")
@_url_option
@_pages_options
def drain(room: str, deadline: float | None, url: str, config: Path | None, token_file: Path | None) -> None:
    """Let nobody into a running server, or into ROOM, and end it when its rounds are over."""
    from engine.cli.ops import drain

    drain(_pages(url, config, token_file), room, deadline)


@main.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--room", default="", help="Only to those in this room.")
@_url_option
@_pages_options
def say(words: tuple[str, ...], room: str, url: str, config: Path | None, token_file: Path | None) -> None:
    """Show WORDS to everyone who plays on a running server."""
    from engine.cli.ops import say

    say(_pages(url, config, token_file), " ".join(words), room)


if __name__ == "__main__":
    main()
