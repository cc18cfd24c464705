"""Who plays in a room over the network: seats are given on arrival, kept for a while after a cut, and then freed."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

HELD = 30.0
"""Seconds a seat is kept for somebody whose connection was cut."""
SECRET_BYTES = 16


@dataclass(slots=True)
class Seat:
    """A player who came over the network, and the connection they have now."""

    player: int
    name: str
    secret: bytes
    """Known to the player's own client only: the way back after a cut."""
    peer: int | None
    away_until: float = 0.0
    """While there is no peer: when the seat is freed."""


class Seats:
    """The seats of a room that are held over the network. Times are seconds of any steady clock."""

    def __init__(self, entropy: Callable[[int], bytes], held: float = HELD) -> None:
        self.held = held
        self.by_player: dict[int, Seat] = {}
        self._entropy = entropy

    def give(self, player: int, name: str, peer: int) -> Seat:
        """Seat a newcomer."""
        seat = Seat(player, name, self._entropy(SECRET_BYTES), peer)
        self.by_player[player] = seat
        return seat

    def of_peer(self, peer: int) -> Seat | None:
        """The seat this connection plays from."""
        return next((seat for seat in self.by_player.values() if seat.peer == peer), None)

    def resume(self, secret: bytes, peer: int) -> Seat | None:
        """Give a seat back to whoever knows its secret, on another connection. None if it is nobody's."""
        for seat in self.by_player.values():
            if hmac.compare_digest(seat.secret, secret):
                seat.peer = peer
                return seat
        return None

    def cut(self, seat: Seat, now: float) -> None:
        """The connection is gone without a word: the seat is kept for a while."""
        seat.peer, seat.away_until = None, now + self.held

    def free(self, seat: Seat) -> None:
        """The player has left."""
        self.by_player.pop(seat.player, None)

    def expired(self, now: float) -> list[Seat]:
        """The seats whose players did not come back in time."""
        return [seat for seat in self.by_player.values() if seat.peer is None and seat.away_until <= now]
