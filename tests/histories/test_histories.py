"""Every settlement is in the right books once: some of the histories that `make histories` plays."""

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.histories.machine import Chain
from tests.support.operators_log import operators_log  # noqa: F401  a fixture

pytestmark = pytest.mark.generated


@pytest.mark.usefixtures("aws", "operators_log")
class TestHistories(Chain.TestCase):
    """Three hundred histories of a chain of shops. One that goes wrong is shown as it was found: `make histories`
    looks for its shortest form."""


TestHistories.settings = settings(
    max_examples=300,
    stateful_step_count=10,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
