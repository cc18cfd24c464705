"""What a net graph shows of one client's connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class NetFigures:
    """How it goes, as of now. Times are seconds, shares from 0 to 1."""

    rtt: float = 0.0
    """Smoothed round trip time."""
    jitter: float = 0.0
    """Smoothed mean deviation of the round trip time."""
    loss: float = 0.0
    """The share of recent packets that were lost."""
    lead: float = 0.0
    """How long commands wait at the server until their tick, on average: the buffer."""
    playout_delay: float = 0.0
    """How far behind the freshest snapshot possible the others are shown."""
    underruns: float = 0.0
    """The share of frames that had to show a time beyond the newest snapshot."""
    bytes_in: int = 0
    """Bytes received since the start."""
    bytes_out: int = 0
    """Bytes sent since the start."""
    corrections: int = 0
    """How often the server decided otherwise than predicted, by more than the tolerance."""
    prediction_error: float = 0.0
    """How far off the last corrected prediction was, in world units."""
    correction: float = 0.0
    """How far corrections moved what is shown of one's own in the last tick, in world units."""
    desyncs: int = 0
    """How often the replica was found to differ from the server's world."""
