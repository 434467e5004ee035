"""What operators see: JSON log lines without secrets, and figures for CloudWatch."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from erphub.platform.characters import escaped
from erphub.platform.redaction import clean

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import Metrics


class _Formatter(LambdaPowertoolsFormatter):
    def serialize(self, log: Any) -> str:
        # Within JSON's strings, so that nobody's text turns a line around or hides a part of it on a screen.
        return escaped(super().serialize(clean(log)))


@cache
def logger() -> Logger:
    """The process's logger; its service and level come from POWERTOOLS_* of the deployment."""
    return Logger(logger_formatter=_Formatter(utc=True, use_rfc3339=True, log_record_order=["level", "message"]))


@cache
def _metrics() -> "Metrics":
    from aws_lambda_powertools.metrics import Metrics

    return Metrics()


def emit_metrics(dimensions: Mapping[str, str], **values: float) -> None:
    """Write one line of figures (CloudWatch's embedded metric format): counts, or bytes and seconds by their suffix."""
    from aws_lambda_powertools.metrics import MetricUnit

    metrics = _metrics()
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    for name, value in values.items():
        unit = (
            MetricUnit.Seconds
            if name.endswith("seconds")
            else MetricUnit.Bytes
            if name.endswith("bytes")
            else MetricUnit.Count
        )
        metrics.add_metric(name, unit, value)
    metrics.flush_metrics()
