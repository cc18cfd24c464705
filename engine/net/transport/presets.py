"""Networks as players know them, by name: what `Conditions` make of a wired room, a home, a crowded Wi-Fi, a phone.

People know a way by its ping, so the names stand for *round trips*: lan 2 ms; home 40 ± 5 ms; wifi 80 ± 30 ms;
mobile 150 ± 50 ms. The `Conditions` here are one direction, with half of both; give the same to each direction.
Loss is that of each direction: 0.5 % at home, 5 % on a phone, and 2 % on Wi-Fi, where it comes in bursts of 2.5
datagrams on average, as of a channel that is taken for some tens of milliseconds.
"""

from __future__ import annotations

from engine.net.transport.conditioner import Conditions

_BURST_LENGTH = 2.5
_WIFI_LOSS = 0.02

LAN = Conditions(latency=0.001)
HOME = Conditions(latency=0.020, jitter=0.0025, loss=0.005)
WIFI = Conditions(
    latency=0.040,
    jitter=0.015,
    # Gilbert-Elliott: the share of time in the bad state is burst / (burst + 1 / burst_length).
    burst=_WIFI_LOSS / (1 - _WIFI_LOSS) / _BURST_LENGTH,
    burst_length=_BURST_LENGTH,
)
MOBILE = Conditions(latency=0.075, jitter=0.025, loss=0.05)

PRESETS = {"lan": LAN, "home": HOME, "wifi": WIFI, "mobile": MOBILE}
"""One direction of each network, by name, from good to bad."""
