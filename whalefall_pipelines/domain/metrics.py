"""Metrics in the text format of Prometheus 0.0.4. Each area reads its own; an unknown number is no sample, and never 0."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. `suffix` is appended to the name of the metric, as the parts of a histogram need it."""

    value: float
    labels: Mapping[str, str]
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric with its samples. Its unit is the end of its name; `help` is a sentence."""

    name: str
    help: str
    samples: tuple[Sample, ...]
    kind: Literal["gauge", "counter", "histogram"] = "gauge"


def gauge(name: str, help_: str, samples: Iterable[tuple[float | None, Mapping[str, str]]]) -> Metric:
    """A gauge of the known values, each with its labels."""
    return Metric(name, help_, tuple(Sample(value, labels) for value, labels in samples if value is not None))


def expose(metrics: Iterable[Metric]) -> str:
    """The text that Prometheus reads. A metric without a sample is left out."""
    return "".join(line for metric in metrics if metric.samples for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help.translate(_HELP_ESCAPES)}\n"
    yield f"# TYPE {metric.name} {metric.kind}\n"
    for sample in metric.samples:
        labels = ",".join(f'{name}="{text.translate(_LABEL_ESCAPES)}"' for name, text in sample.labels.items())
        yield f"{metric.name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {sample.value}\n"


_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})
_LABEL_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
