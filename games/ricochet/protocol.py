"""What of Ricochet crosses the wire, to whom and how finely, and what a client works out for itself.

The server decides. A client flies its own ship at once, and simulates every disc and the ball ahead to its own tick,
where they will meet it; other ships it shows a moment in the past. What hits whom is judged by what the thrower saw.
"""

from __future__ import annotations

from math import tau

from engine.net.wire import Channel, Protocol
from engine.net.wire.declaration import Audience
from engine.physics import Body, Collider, Velocity
from engine.scene import Transform
from games.ricochet import events
from games.ricochet.bots import Brain
from games.ricochet.commands import Fly
from games.ricochet.components import (
    Ball,
    Boosts,
    Bumper,
    Controls,
    Crate,
    Dash,
    Disc,
    Hull,
    Magazine,
    Pad,
    Person,
    Player,
    Protection,
    Ready,
    Scenery,
    Score,
    Shield,
    Ship,
    Wall,
)
from games.ricochet.match import Match
from games.ricochet.messages import Chat, GoOn, Pings, Say
from games.ricochet.seats import Roster

UNIT = 1 / 32
"""Places, in units."""
MOTION = 1 / 8
"""Speeds, in units/s."""
TURN = tau / 4096
"""Angles, in radians."""
MOMENT = 1 / 240
"""Times that decide in which tick something happens, in seconds."""
WHILE = 1 / 60
"""Times that run down all the while, in seconds: a tick, so that they change by the same amount for everything."""
SHARE = 1 / 128
"""Parts of one."""

PROTOCOL = (
    Protocol("ricochet", "1")
    # What moves
    .component(Transform, {Transform.x: UNIT, Transform.y: UNIT, Transform.angle: TURN})
    .component(Velocity, {Velocity.vx: MOTION, Velocity.vy: MOTION}, without=(Velocity.angular,))
    .component(Body, constant=True)
    .component(Collider, constant=True)  # but for the mask, which flight sets by Dash.phasing
    # Players
    .component(Player, {Player.respawn: WHILE})
    .component(Person)
    .component(Ready)
    .component(Score)
    # Ships; nobody is told when another throws or dashes before it is done
    .component(Ship)
    .component(
        Controls,
        {Controls.thrust_x: SHARE, Controls.thrust_y: SHARE, Controls.aim: TURN},
        without=(Controls.fire, Controls.dash),
    )
    .component(Hull, {Hull.points: 1 / 8})
    .component(Magazine, {Magazine.refill: MOMENT, Magazine.pause: MOMENT}, to=Audience.OWNER)
    .component(Dash, {Dash.active: MOMENT, Dash.cooldown: MOMENT, Dash.x: SHARE / 8, Dash.y: SHARE / 8})
    .component(Shield, {Shield.energy: MOMENT})
    .component(Protection, {Protection.seconds: MOMENT})
    .component(Boosts, {Boosts.overcharge: MOMENT})
    # What flies about and stands about
    .component(Disc, {Disc.speed: MOTION, Disc.life: WHILE}, without=(Disc.away,))  # which follows from where it is
    .component(Ball, {Ball.radius: 1 / 8})
    .component(Scenery)
    .component(Wall, constant=True)
    .component(Bumper, constant=True)
    .component(Crate, {Crate.size: 1 / 8})
    .component(Pad, {Pad.every: 1 / 8, Pad.wait: 1 / 2})
    .hidden(Brain)
    # Whose things are
    .owner(Player.seat)
    .owner(Ship.seat)
    .owner(Disc.owner)
    # Who works out what
    .predict(Player)
    .predict(Ship)
    .predict(Disc, all=True, spawns=True)
    .predict(Ball, all=True)
    .interpolate(Transform, turning=(Transform.angle,))
    .interpolate(Velocity)
    .interpolate(Controls, turning=(Controls.aim,))
    .rewind(Disc, Ship)
    .command(Fly)
    .resource(Match, without=("name",))
    .resource(Roster)
    # What happens: told by the server,
    .event(
        *(events.SeatTaken, events.SeatFreed, events.Launched, events.Hurt, events.Killed),
        *(events.CrateHit, events.CrateBroken, events.PickupAppeared, events.PickedUp, events.Scored),
        *(events.ArenaOpened, events.CountedDown, events.RoundStarted, events.RoundEnded),
    )
    # by the server of others, and by one's own prediction of oneself,
    .event(events.Thrown, events.Dashed, events.ShieldRaised, events.ShieldLowered, mine="seat")
    # or by everyone's own: discs and the ball fly ahead on all machines, and magazines are known to their owners only
    .event(
        *(events.Bounced, events.BumperKicked, events.Spent, events.Reflected, events.BallStruck),
        *(events.Reloaded, events.ClickedEmpty),
        predicted=True,
    )
    .message(Say, Channel.RELIABLE_ORDERED)
    .message(Chat, Channel.RELIABLE_ORDERED)
    .message(GoOn, Channel.RELIABLE_ORDERED)
    .message(Pings, Channel.UNRELIABLE_SEQUENCED)
)
