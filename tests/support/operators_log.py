"""What is logged for operators, kept for tests to look at."""

import logging as standard_logging
from collections.abc import Iterator

import pytest

from erphub.platform import logging


class Log(standard_logging.Handler):
    """What operators are told of things that nobody foresaw, and of credentials that an ERP refused."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[tuple[str, BaseException]] = []

    def emit(self, record: standard_logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.errors.append((record.levelname, record.exc_info[1]))


LOG = Log()


@pytest.fixture
def operators_log() -> Iterator[Log]:
    """What operators are told during a test."""
    LOG.errors.clear()
    logging.logger().addHandler(LOG)
    yield LOG
    logging.logger().removeHandler(LOG)
