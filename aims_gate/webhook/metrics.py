"""Prometheus metrics of the receiver, in a registry of their own."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from aims_gate.inbox.contract import STATES, Waiting

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MINUTES = (0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


class Metrics:
    """What is counted while the receiver runs; names of models are no labels, there may be many."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.deliveries = Counter(
            "aims_gate_deliveries", "Deliveries by what became of them", ["outcome"],
            registry=self._registry,
        )  # fmt: skip
        self.accepting = Histogram(
            "aims_gate_accept_seconds", "From the request to its answer, for deliveries stored",
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.judgements = Counter(
            "aims_gate_judgements", "Judgements by how they ended", ["outcome"],
            registry=self._registry,
        )  # fmt: skip
        self.judging = Histogram(
            "aims_gate_judge_seconds", "Duration of judgements",
            buckets=_MINUTES, registry=self._registry,
        )  # fmt: skip
        self.sweeps = Counter(
            "aims_gate_sweeps", "Sweeps over all models by how they ended", ["outcome"],
            registry=self._registry,
        )  # fmt: skip
        self.swept = Gauge(
            "aims_gate_last_sweep_timestamp_seconds", "End of the last sweep that ended well",
            registry=self._registry,
        )  # fmt: skip

    def text(self, waiting: tuple[Waiting, ...], now: float) -> bytes:
        """The exposition format, with the states of models as the inbox has them."""
        states = CollectorRegistry()
        states.register(_States(waiting, now))
        return generate_latest(self._registry) + generate_latest(states)


class _States:
    """Collector of what the inbox knows at one moment."""

    def __init__(self, waiting: tuple[Waiting, ...], now: float) -> None:
        self._waiting = waiting
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Models by state, and how long the oldest has waited."""
        count = Count(each.state for each in self._waiting)
        models = GaugeMetricFamily("aims_gate_models", "Models by state", labels=["state"])
        for state in STATES:
            models.add_metric([state], count[state])
        yield models
        due = [self._now - each.since for each in self._waiting if each.state == "waiting"]
        oldest = GaugeMetricFamily(
            "aims_gate_oldest_waiting_seconds", "How long the model that is due longest has waited"
        )
        oldest.add_metric([], max([0.0, *due]))
        yield oldest
