"""How far a client runs ahead: its commands are to reach the server just before the tick they are for.

The server reports how early they came (`Pace`); the client runs its clock a little faster or slower (time dilation)
until the latest of them is early enough. It never has to know the delay of either direction, nor the server's clock.

Write `phase` for the client's time in ticks less the ticks that passed on its own clock: it is constant at speed 1.
A command sent at some phase that arrives with some lead was delayed by phase - lead, a figure in which what the client
does to its own clock cancels out. So the phase to be at is a high quantile of those, plus a little.
"""

from __future__ import annotations

from collections import deque
from math import ceil

from engine.net.wire.system import Pace

WINDOW = 60
"""Reports taken into account: twelve seconds."""
QUANTILE = 0.95
"""The share of reports, each of some 12 ticks, in which every command is to be in time."""
MARGIN = 0.5
"""Ticks to be early by at the quantile: what the speed and the frames of a client leave inexact."""
CHANGE = 0.04
"""How far the speed may be from 1."""
HURRY = 0.1
"""The same until the clock is right for the first time, and while it is very late: the player's commands are lost."""
VERY_LATE = 2.5
"""In ticks."""
ROUND_TRIPS = 1.3
"""Round trips to be ahead of the server's word at the start; the first measurement of one may be short."""
SETTLING = 4.0
"""Seconds from the first report in which it is to be right for the first time."""
LATE, EARLY = 10.0, 30.0
"""Ticks beyond which running faster, or slower, would take too long."""
_SECONDS = 0.7  # in which an error is halved, more or less
_SLACK = 0.25  # ticks by which the quantile may change without the aim following


class Lead:
    """A client's clock.

        tick = lead.start(welcome.tick, estimate.rtt, now)
        ...
        clock.speed = lead.steer(now, scene.tick + clock.alpha)     # each frame
        lead.paced(pace)                                            # whenever the server reports

    `dt` is the length of a tick; all times are seconds.
    """

    def __init__(self, dt: float = 1 / 60) -> None:
        self.speed = 1.0
        """What the client's `FixedStep` is to run at."""
        self.jump = 0
        """Ticks that the client's number has to change by at once; 0 but after a standstill of one of the sides."""
        self._rate = 1 / dt
        self._settled_by: float | None = None
        self._settling = True
        self._aim = 0.0
        self._phases: deque[tuple[float, float]] = deque(maxlen=256)  # position, phase; one a tick
        self._late: deque[float] = deque(maxlen=WINDOW)  # the longest delay of each report
        self._held: float | None = None
        self._least = self._mean = self._most = 0.0

    def start(self, server_tick: int, rtt: float, now: float) -> int:
        """The tick to begin with, when the server's message from `server_tick` has just come. Times are seconds.

        It is rather early than late, which costs nothing that a newcomer would notice.
        """
        self._late.clear()
        self._held = None
        self._phases.clear()
        self._settled_by = None
        self._settling = True
        tick = server_tick + ceil(ROUND_TRIPS * rtt * self._rate + 1)
        self._aim = tick - now * self._rate
        self.speed, self.jump = 1.0, 0
        return tick

    def paced(self, pace: Pace) -> None:
        """Take the server's report."""
        phase = self._phase_at(pace.tick)
        if phase is None:
            return
        self._least, self._mean, self._most = pace.least, pace.mean, pace.most
        delay = phase - pace.least
        held, self._held = self._held, None
        if self._late and abs(delay - self._late[-1]) > LATE:
            if held is None or abs(delay - held) > LATE:  # once may be a frame that took long
                self._held = delay
                return
            self._late.clear()  # one of the sides stood still, or has another way now
        self._late.append(delay)
        ordered = sorted(self._late)
        wanted = ordered[min(int(QUANTILE * len(ordered)), len(ordered) - 1)] + MARGIN
        if abs(wanted - self._aim) > _SLACK:
            self._aim = wanted

    def _phase_at(self, tick: int) -> float | None:
        """The phase when `tick` was sent: the last that fits, since a jump may have given its number twice."""
        for position, phase in reversed(self._phases):
            if -2 <= tick - position <= 2:
                return phase
        return None

    def steer(self, now: float, position: float) -> float:
        """The speed to go on at, `position` being the client's tick with its fraction."""
        phase = position - now * self._rate
        if not self._phases or abs(position - self._phases[-1][0]) >= 0.5:
            self._phases.append((position, phase))
        error = self._aim - phase
        self.jump = 0 if -EARLY < error < LATE else round(error)
        if self._settling and self._late:
            if self._settled_by is None:
                self._settled_by = now + SETTLING
            self._settling = abs(error) > 0.5 and now < self._settled_by
        change = HURRY if self._settling or error > VERY_LATE else CHANGE
        self.speed = 1 + min(change, max(-change, error / (_SECONDS * self._rate)))
        return self.speed

    @property
    def margin(self) -> float:
        """How long before its tick a command came, on average, in seconds: what the server buffers."""
        return self._mean / self._rate

    @property
    def least(self) -> float:
        """The same of the last of them to come, in seconds; negative if it was late."""
        return self._least / self._rate

    @property
    def depth(self) -> int:
        """Ticks of commands worth sending: those before would be too late even by the fastest way."""
        return max(2, ceil(self._most) + 1) if self._late else 8
