"""The bad network does what its conditions say, by the numbers."""

import itertools

import pytest

from engine.net.connection.address import Address
from engine.net.transport.conditioner import Conditions, Link

WHERE = Address("192.0.2.1", 5)


def pass_through(
    conditions: Conditions, count: int = 4000, size: int = 100, every: float = 0.001
) -> list[tuple[float, int]]:
    """Send numbered datagrams; when each arrived, and its number (or -1 where that is altered)."""
    link = Link(conditions, 1)
    arrived: list[tuple[float, int]] = []
    for step in range(count * 3):
        now = step / 1000
        if step < count:
            link.send(step.to_bytes(4, "little") * (size // 4), WHERE, now)
        for datagram, where in link.arrivals(now):
            assert where == WHERE
            number = datagram[:4]
            arrived.append((now, int.from_bytes(number, "little") if datagram == number * (size // 4) else -1))
    assert link.next_timer() is None
    return arrived


def test_a_perfect_link_changes_nothing() -> None:
    assert [number for _, number in pass_through(Conditions())] == list(range(4000))


def test_latency_and_jitter() -> None:
    delays = [at - number * 0.001 for at, number in pass_through(Conditions(latency=0.1, jitter=0.03))]
    assert 0.069 < min(delays) < 0.075
    assert 0.125 < max(delays) < 0.132
    assert sum(delays) / len(delays) == pytest.approx(0.1005, abs=0.002)


def test_loss_and_duplication() -> None:
    assert len(pass_through(Conditions(loss=0.25))) == pytest.approx(3000, rel=0.05)
    assert len(pass_through(Conditions(duplicate=0.25))) == pytest.approx(5000, rel=0.05)
    assert pass_through(Conditions(loss=1.0)) == []


def test_loss_in_bursts() -> None:
    numbers = [number for _, number in pass_through(Conditions(burst=0.02, burst_length=8.0))]
    gaps = [later - earlier - 1 for earlier, later in itertools.pairwise(numbers) if later != earlier + 1]
    assert sum(gaps) / len(gaps) == pytest.approx(8.0, rel=0.35)
    assert 1 - len(numbers) / 4000 == pytest.approx(0.02 / (0.02 + 1 / 8), rel=0.35)


def test_reordering() -> None:
    numbers = [number for _, number in pass_through(Conditions(reorder=0.1, reorder_delay=0.01))]
    assert sorted(numbers) == list(range(4000))
    assert sum(later < earlier for earlier, later in itertools.pairwise(numbers)) == pytest.approx(400, rel=0.3)


def test_corruption() -> None:
    altered = sum(number < 0 for _, number in pass_through(Conditions(corrupt=0.2)))
    assert altered == pytest.approx(800, rel=0.15)


def test_the_rate_limit_delays_then_drops() -> None:
    arrived = pass_through(Conditions(rate=64_000.0, queue=6_400), count=2000, size=100)
    assert len(arrived) == pytest.approx(1000, rel=0.15)
    last = [at for at, _ in arrived][-1]
    assert last == pytest.approx(2.0 + 0.1, abs=0.05)


@pytest.mark.parametrize(
    "bad", [{"loss": 1.1}, {"corrupt": -0.1}, {"latency": -1}, {"rate": 0.0}, {"burst_length": 0.5}]
)
def test_impossible_conditions_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Conditions(**bad)  # pyright: ignore[reportArgumentType]
