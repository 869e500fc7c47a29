"""Counts and durations kept as plain numbers and shown to Prometheus when it asks.

Three histograms of prometheus_client cost each request more than finding out who asks: they take a lock and walk their
buckets. The gateway's requests are counted by one thread.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
FINE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Durations(Collector):
    """A histogram with one label, or none."""

    def __init__(self, name: str, about: str, labels: Sequence[str] = (), bounds: Sequence[float] = SECONDS) -> None:
        self._name, self._about, self._labels, self._bounds = name, about, labels, bounds
        self._kept: dict[str, list[float]] = {}
        """By label: how many fell into each bucket, the last of which has no bound, and their sum."""
        REGISTRY.register(self)

    def observe(self, seconds: float, label: str = "") -> None:
        """Note a duration."""
        kept = self._kept.get(label)
        if kept is None:
            kept = self._kept[label] = [0] * (len(self._bounds) + 2)
        kept[bisect_left(self._bounds, seconds)] += 1
        kept[-1] += seconds

    def collect(self) -> Iterable[Metric]:
        """As Prometheus wants it: buckets hold what is in those before them."""
        family = HistogramMetricFamily(self._name, self._about, labels=self._labels)
        bounds = [*map(str, self._bounds), "+Inf"]
        for label, kept in self._kept.items():
            buckets = list(zip(bounds, accumulate(kept[:-1]), strict=True))
            family.add_metric([label] if self._labels else [], buckets, kept[-1])
        yield family


class Counts(Collector):
    """A counter with labels, named in one string.

    `known` are all values of an only label: they are shown before the first is counted, so that a rate sees it.
    """

    def __init__(self, name: str, about: str, labels: str, known: Iterable[str] = ()) -> None:
        self._name, self._about, self._labels = name, about, labels.split()
        self._kept: dict[tuple[str, ...], int] = {(value,): 0 for value in known}
        REGISTRY.register(self)

    def inc(self, *labels: str) -> None:
        """One more."""
        self._kept[labels] = self._kept.get(labels, 0) + 1

    def collect(self) -> Iterable[Metric]:
        """As Prometheus wants it."""
        family = CounterMetricFamily(self._name, self._about, labels=self._labels)
        for labels, count in self._kept.items():
            family.add_metric(labels, count)
        yield family
