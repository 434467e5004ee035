"""Whose work is being done is said where it comes in, and nothing on the way can make it another's."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from erphub.platform import tasks, tenants
from erphub.platform.tenants import NoTenantAtHand, Tenant


def test_a_task_is_done_for_the_tenant_that_its_event_names_and_afterwards_for_nobody():
    seen: list[Tenant] = []

    def look(_: object) -> dict[str, str]:
        seen.append(tenants.at_hand())
        return {}

    known = tasks.Tasks({"look": look})
    known({"task": "look", "client_id": "C1", "connection_id": "X1"}, None)
    known({"task": "look", "client_id": "C2"}, None)
    assert seen == [Tenant("C1", "X1"), Tenant("C2")]
    with pytest.raises(NoTenantAtHand):
        tenants.at_hand()


def test_a_task_that_fails_leaves_nobody_at_hand():
    def fail(_: object) -> dict[str, str]:
        raise RuntimeError("no")

    with pytest.raises(tasks.TaskFailed):
        tasks.Tasks({"fail": fail})({"task": "fail", "client_id": "C1"}, None)
    with pytest.raises(NoTenantAtHand):
        tenants.at_hand()


def test_news_of_an_execution_is_worked_on_for_the_tenant_of_its_input():
    seen: list[Tenant] = []

    def look(_: object) -> dict[str, str]:
        seen.append(tenants.at_hand())
        return {}

    news = {"source": "aws.states", "detail": {"input": '{"client_id": "C1", "wizard_id": "W1"}'}}
    tasks.Tasks({tasks.EXECUTION_ENDED: look})(news, None)
    assert seen == [Tenant("C1")]


def test_a_client_at_hand_is_narrowed_to_a_connection_and_a_connection_to_no_other():
    with tenants.acting_for("C1"):
        with tenants.of_connection("X1"):
            assert tenants.at_hand() == Tenant("C1", "X1")
        assert tenants.at_hand() == Tenant("C1")
    with tenants.acting_for("C1", "X1"), tenants.of_connection("X2"):
        assert tenants.at_hand() == Tenant("C1", "X1")


def test_nobody_is_not_narrowed_to_anybody():
    with tenants.of_connection("X1"), pytest.raises(NoTenantAtHand):
        tenants.at_hand()


def test_another_thread_does_not_work_for_whoever_this_one_works_for():
    def look() -> Tenant:
        return tenants.at_hand()

    with tenants.acting_for("C1"), ThreadPoolExecutor(1) as pool, pytest.raises(NoTenantAtHand):
        pool.submit(look).result()
