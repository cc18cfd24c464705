"""Metrics: read back by the parsers of those who made the formats, and right."""

import asyncio
import enum
import importlib
import logging
import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from engine.net.connection.address import Address
from engine.net.connection.server import Server
from engine.net.transport.udp import Udp
from engine.net.wire import Protocol
from engine.server.metrics import Counts, Metrics, merge, watch_network, watch_ticks
from engine.server.query import Query, Status
from engine.server.ticks import Ticks

parse_openmetrics: Any = importlib.import_module("prometheus_client.openmetrics.parser").text_string_to_metric_families

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Colour(enum.Enum):
    RED = "a sentence for people"


def samples(content: bytes) -> dict[str, float]:
    """The value of each sample, by its name and labels as they are written."""
    found: dict[str, float] = {}
    for family in parse_text(content.decode()):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_values_are_read_when_asked_for() -> None:
    metrics = Metrics({"version": "0.1.0", "game": "ricochet"})
    rooms, refusals = list[int](), Counts()
    metrics.gauge("rooms", "Rooms there are.", lambda: len(rooms))
    metrics.counter("refusals", "Players turned away.", lambda: refusals, label="reason")
    metrics.gauge("colours", "By colour.", lambda: {Colour.RED: 2.5}, label="colour")
    content, content_type = metrics.expose()
    assert content_type.startswith("text/plain")
    assert samples(content)["tickwire_rooms"] == 0
    rooms.append(1)
    refusals.add('full "house"\n')
    found = samples(metrics.expose()[0])
    assert found["tickwire_rooms"] == 1
    assert found['tickwire_refusals_total{reason="full "house"\n"}'] == 1
    assert found['tickwire_colours{colour="red"}'] == 2.5
    assert found['tickwire_build_info{game="ricochet",version="0.1.0"}'] == 1


def test_two_sets_of_metrics_know_nothing_of_each_other() -> None:
    one, other = Metrics(), Metrics()
    one.gauge("rooms", "Rooms there are.", lambda: 1)
    assert "tickwire_rooms" not in samples(other.expose()[0])


def test_a_value_that_cannot_be_read_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> float:
        raise RuntimeError("no idea")

    metrics = Metrics()
    metrics.gauge("broken", "Raises.", broken)
    metrics.gauge("unnamed", "Labels without a name.", lambda: {"x": 1})
    metrics.gauge("rooms", "Rooms there are.", lambda: 3)
    found = samples(metrics.expose()[0])
    assert found["tickwire_rooms"] == 3
    assert not {"tickwire_broken", "tickwire_unnamed"} & set(found)
    assert "metric broken cannot be read" in caplog.text


async def socket_of(server: Server) -> Udp:
    udp = Udp(server, lambda event: None)
    udp.bytes_in, udp.bytes_out, udp.unsent = 100, 200, 3
    return udp


def whole() -> Metrics:
    """All that this package has to tell, with something in it."""
    protocol = Protocol("metrics")
    server = Server(protocol, bytes(32), [Address("127.0.0.1", 1)], 0.0, epoch=0.0)
    server.receive_datagram(b"junk", ("127.0.0.1", 2), 0.0)
    query = Query(lambda: Status("a", "b", "c"))
    ticks = Ticks(60.0, 0.0)
    for number, late in enumerate((0.0001, 0.003, 0.004, 0.3, 9.0), 1):
        ticks.ticked(number / 60, late=late, took=0.002)
    ticks.dropped = 7
    metrics = Metrics({"version": "0.1.0"})
    watch_ticks(metrics, lambda: [ticks], lambda: 1.0)
    udp = asyncio.run(socket_of(server))
    watch_network(metrics, lambda: server, lambda: udp)
    metrics.counter("queries", "Server queries.", lambda: query.counts, label="outcome")
    return metrics


def test_ticks_and_network_are_told_as_they_are() -> None:
    found = samples(whole().expose()[0])
    assert found["tickwire_ticks_total"] == 5
    assert found["tickwire_ticks_dropped_total"] == 7
    assert found['tickwire_tick_lateness_seconds_bucket{le="0.00025"}'] == 1
    assert found['tickwire_tick_lateness_seconds_bucket{le="0.004"}'] == 3
    assert found['tickwire_tick_lateness_seconds_bucket{le="5.0"}'] == 4
    assert found['tickwire_tick_lateness_seconds_bucket{le="+Inf"}'] == 5
    assert found["tickwire_tick_lateness_seconds_count"] == 5
    assert found["tickwire_tick_lateness_seconds_sum"] == pytest.approx(9.3071)
    assert found["tickwire_seconds_since_tick"] == pytest.approx(1 - 5 / 60)
    assert (found["tickwire_received_bytes_total"], found["tickwire_sent_bytes_total"]) == (100, 200)
    assert found["tickwire_unsent_datagrams_total"] == 3
    assert sum(value for name, value in found.items() if name.startswith("tickwire_ignored_datagrams")) == 1
    assert found['tickwire_ignored_datagrams_total{reason="unknown_peer"}'] == 1
    assert found['tickwire_queries_total{outcome="answered"}'] == 0


def test_both_forms_are_read_by_strict_parsers_and_names_follow_the_rules() -> None:
    metrics = whole()
    content, content_type = metrics.expose(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    families = list(parse_openmetrics(content.decode()))  # raises if the form is not kept
    assert len(families) > 10
    for family in parse_text(metrics.expose()[0].decode()):
        assert family.documentation
        if family.name.startswith("tickwire_"):
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", family.name)
            assert not re.search(r"_(milliseconds|ms|kb|megabytes)(_|$)", family.name)
            assert family.type in ("counter", "gauge", "histogram")
            for sample in family.samples:
                assert sample.name.endswith("_total") == (family.type == "counter")


def test_counts_of_too_many_names_share_one() -> None:
    counts = Counts(most=2)
    for name in ("a", "b", "c", "d", "a"):
        counts.add(name)
    assert counts == {"a": 2, "b": 1, "other": 2}


def test_workers_are_told_apart_in_one_exposition(caplog: pytest.LogCaptureFixture) -> None:
    content = merge({"1": whole().expose()[0], "2": whole().expose()[0], "3": b"tickwire_x{ 1\n"})
    found = samples(content)
    assert found['tickwire_ticks_total{worker="1"}'] == found['tickwire_ticks_total{worker="2"}'] == 5
    assert found['tickwire_tick_lateness_seconds_bucket{le="0.004",worker="2"}'] == 3
    text = content.decode()
    heads = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    assert "# TYPE tickwire_tick_lateness_seconds histogram" in heads
    assert "# HELP tickwire_ticks_total Ticks run." in text
    assert "the metrics of worker 3 cannot be read" in caplog.text
    assert logging.getLogger("tickwire.server").handlers == []
