"""Metrics in the text form that Prometheus reads, and in OpenMetrics.

    metrics = Metrics({"version": "0.1.0", "game": "ricochet"})
    watch_ticks(metrics, lambda: [loop_ticks], clock)
    watch_network(metrics, lambda: server, lambda: udp)
    metrics.gauge("rooms", "Rooms there are.", lambda: len(rooms))
    metrics.counter("refusals", "Players turned away.", lambda: refusals, label="reason")
    content, content_type = metrics.expose(request.headers.get("Accept", ""))

Values are read when somebody asks: counting costs what it costs to add to a number, and what is gone leaves nothing
behind. Names follow https://prometheus.io/docs/practices/naming: base units, counters end in ``_total``.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from engine.net.connection.server import Server
from engine.net.transport.udp import Udp
from engine.server.ticks import Histogram, Ticks, total

PREFIX = "tickwire"
OTHER = "other"
"""The label that stands for those that are too many to name."""
PERCENTILES = (50, 90, 99)

Reading = Callable[[], float | Mapping[Any, float]]
"""Gives a value, or one for each label. Labels that are members of an enumeration go by their name."""

_log = logging.getLogger("tickwire.server")


class Counts(dict[str, int]):
    """Counts by name, of which there are at most `most`; the others share one."""

    def __init__(self, most: int = 100) -> None:
        super().__init__()
        self._most = most

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more."""
        if name not in self and len(self) >= self._most:
            name = OTHER
        self[name] = self.get(name, 0) + number


class Metrics:
    """What can be read of one process. `build` says what runs here, such as version and game."""

    def __init__(self, build: Mapping[str, str] | None = None) -> None:
        self.registry = CollectorRegistry()
        self._families: dict[str, Callable[[], Metric]] = {}
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(_Collector(self._families))
        if build is not None:
            info = InfoMetricFamily(f"{PREFIX}_build", "What runs here.", value=dict(build))
            self._families["build"] = lambda: info

    def gauge(self, name: str, about: str, read: Reading, *, label: str = "") -> None:
        """A value that goes up and down. Its name is ``tickwire_`` and `name`, which ends in a unit if it has one."""

        def family() -> Metric:
            found = GaugeMetricFamily(f"{PREFIX}_{name}", about, labels=[label] if label else [])
            for labels, value in _values(read, label):
                found.add_metric(labels, value)
            return found

        self._families[name] = family

    def counter(self, name: str, about: str, read: Reading, *, label: str = "") -> None:
        """A value that only goes up. Its name is ``tickwire_``, `name` and ``_total``."""

        def family() -> Metric:
            found = CounterMetricFamily(f"{PREFIX}_{name}", about, labels=[label] if label else [])
            for labels, value in _values(read, label):
                found.add_metric(labels, value)
            return found

        self._families[name] = family

    def histogram(self, name: str, about: str, read: Callable[[], Histogram]) -> None:
        """How many values there were up to each bound."""

        def family() -> Metric:
            histogram = read()
            found = HistogramMetricFamily(f"{PREFIX}_{name}", about)
            found.add_metric([], _buckets(histogram), histogram.total)
            return found

        self._families[name] = family

    def expose(self, accept: str = "") -> tuple[bytes, str]:
        """All of it, in the form that an ``Accept`` header prefers; with its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


class _Collector(Collector):
    def __init__(self, families: Mapping[str, Callable[[], Metric]]) -> None:
        self._families = families

    def describe(self) -> Iterable[Metric]:
        return []  # else everything is read once, to see its name

    def collect(self) -> Iterator[Metric]:
        for name, family in list(self._families.items()):
            try:
                found = family()
            except Exception:
                _log.exception("metric %s cannot be read", name)
                continue
            yield found


def _values(read: Reading, label: str) -> Iterable[tuple[list[str], float]]:
    value = read()
    if not isinstance(value, Mapping):
        return [([], value)]
    if not label:
        raise TypeError(f"values for {len(value)} labels, and no name for the label")
    return [([key.name.lower() if isinstance(key, enum.Enum) else str(key)], each) for key, each in value.items()]


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    reached = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip([*map(str, histogram.bounds), "+Inf"], histogram.counts, strict=True):
        reached += count
        buckets.append((bound, reached))
    return buckets


def watch_ticks(metrics: Metrics, ticks: Callable[[], Sequence[Ticks]], clock: Callable[[], float]) -> None:
    """The metrics of ticks, of all loops or rooms that `ticks` gives together. Those that are gone must have gone on
    counting somewhere, or totals go down: give the loop's, which outlives its rooms.
    """
    metrics.counter("ticks", "Ticks run.", lambda: sum(each.count for each in ticks()))
    metrics.counter(
        "ticks_dropped", "Ticks given up for being too late.", lambda: sum(each.dropped for each in ticks())
    )
    metrics.gauge("tick_rate", "Ticks a second, lately.", lambda: sum(each.rate_at(clock()) for each in ticks()))
    metrics.gauge(
        "seconds_since_tick",
        "The longest time since a tick of anything that should tick.",
        lambda: max((each.silence(clock()) for each in ticks()), default=0.0),
    )
    metrics.histogram(
        "tick_lateness_seconds", "How late ticks began.", lambda: total([each.lateness for each in ticks()])
    )
    metrics.histogram(
        "tick_duration_seconds", "How long ticks took.", lambda: total([each.duration for each in ticks()])
    )


def watch_network(metrics: Metrics, server: Callable[[], Server], udp: Callable[[], Udp]) -> None:
    """The metrics of connections and datagrams."""
    metrics.gauge("connections", "Peers that are connected.", lambda: len(server().peers))
    metrics.gauge(
        "connections_half_open", "Peers that have not proven their address.", lambda: server().netcode.half_open
    )
    metrics.counter("received_bytes", "Bytes received, without UDP and IP headers.", lambda: udp().bytes_in)
    metrics.counter("sent_bytes", "Bytes sent, without UDP and IP headers.", lambda: udp().bytes_out)
    metrics.counter("unsent_datagrams", "Datagrams the system did not take.", lambda: udp().unsent)
    metrics.counter(
        "ignored_datagrams", "Datagrams that got no answer, by reason.", lambda: server().ignored, label="reason"
    )
    metrics.gauge(
        "round_trip_seconds",
        "Round trip times of the peers connected now: what this percentage of them does not exceed.",
        lambda: _percentiles([peer.delivery.estimate.rtt for peer in server().peers.values()]),
        label="percentile",
    )
    metrics.gauge(
        "loss_ratio",
        "Share of packets lost on the way to peers connected now: what this percentage of them does not exceed.",
        lambda: _percentiles([peer.delivery.estimate.loss for peer in server().peers.values()]),
        label="percentile",
    )
    metrics.gauge(
        "backlog_bytes",
        "Reliable messages that peers have not acked yet.",
        lambda: sum(peer.delivery.backlog for peer in server().peers.values()),
    )


def _percentiles(values: list[float]) -> dict[str, float]:
    """By nearest rank; nothing for no values."""
    ordered = sorted(values)
    return {str(share): ordered[-(-len(ordered) * share // 100) - 1] for share in PERCENTILES} if ordered else {}


def merge(expositions: Mapping[str, bytes], label: str = "worker") -> bytes:
    """One text exposition from those of several processes, each sample with a label that says whose it is.

    Takes and gives the text form of Prometheus, as `Metrics.expose` does by default. One that cannot be read is left
    out.
    """
    families: dict[str, Metric] = {}
    for name, content in expositions.items():
        try:
            found = list(text_string_to_metric_families(content.decode()))
        except (ValueError, IndexError, KeyError):
            _log.exception("the metrics of %s %s cannot be read", label, name)
            continue
        for family in found:
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                merged.samples.append(sample._replace(labels={**sample.labels, label: name}))
    registry = CollectorRegistry()
    registry.register(_Collector({name: lambda family=family: family for name, family in families.items()}))
    return choose_encoder("")[0](registry)
