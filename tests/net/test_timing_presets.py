"""The named networks are what their names promise: as round trips, and with their losses."""

import pytest

from engine.net.connection.address import Address
from engine.net.transport.conditioner import Conditions, Link
from engine.net.transport.presets import PRESETS

WHERE = Address("192.0.2.1", 5)
COUNT = 40_000


@pytest.mark.parametrize(
    ("name", "round_trip", "jitter", "loss", "burst"),
    [("lan", 2, 0, 0.0, 1), ("home", 40, 5, 0.005, 1), ("wifi", 80, 30, 0.02, 2.5), ("mobile", 150, 50, 0.05, 1.05)],
)
def test_the_named_networks(name: str, round_trip: float, jitter: float, loss: float, burst: float) -> None:
    conditions: Conditions = PRESETS[name]
    assert 2000 * conditions.latency == pytest.approx(round_trip)
    assert 2000 * conditions.jitter == pytest.approx(jitter)
    link = Link(conditions, 3)
    arrived: set[int] = set()
    for number in range(COUNT + 60):
        if number < COUNT:
            link.send(number.to_bytes(4, "little"), WHERE, number / 60)
        arrived.update(int.from_bytes(datagram, "little") for datagram, _ in link.arrivals(number / 60))
    lost = COUNT - len(arrived)
    assert lost / COUNT == pytest.approx(loss, rel=0.15)
    if lost:
        bursts = sum(number not in arrived and number + 1 in arrived for number in range(COUNT - 1))
        assert lost / bursts == pytest.approx(burst, rel=0.12)
