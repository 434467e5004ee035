"""The cost model counts what the hub really asks of AWS, and meets its goals on the terms that it states."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks import cost, transfer_cost
from erphub.platform.aws import clients
from erphub.platform.aws.table import Table
from erphub.platform.resources import PlatformResources
from erphub.platform.settings import CredentialStore, read_settings
from local import template
from tests.support.aws import CREDENTIALS, EXPORTS, TENANTS, in_memory, make_table

COST_PAGE = Path(cost.__file__).parent / "COST.md"


def calls_of(documents: int) -> Counter[str]:
    """What a transfer of so many settlements asks of DynamoDB."""
    with in_memory():
        table: Table = make_table(TENANTS | EXPORTS)
        clients.client("s3").create_bucket(
            Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
        counted = transfer_cost.thousand("settlement", table, documents).calls
    return Counter({name.partition(".")[2]: n for name, n in counted.items() if name.startswith("dynamodb.")})


def test_what_a_transfer_and_its_documents_ask_is_what_is_counted_for_them():
    one, six = calls_of(1), calls_of(6)
    document = {name: count / 5 for name, count in (six - one).items()}
    assert document == cost.DOCUMENT_CALLS
    assert one - Counter(cost.DOCUMENT_CALLS) == Counter(cost.TRANSFER_CALLS)


@pytest.mark.parametrize(
    ("store", "access"),
    [
        (CredentialStore.SECRET_PER_CONNECTION, cost.SECRET_PER_CONNECTION),
        (CredentialStore.SEALED_PER_CLIENT, cost.SEALED_PER_CLIENT),
    ],
)
def test_what_reading_credentials_asks_is_what_is_counted_for_it(store: CredentialStore, access: cost.Access):
    settings = {"SECRET_PREFIX": "hub/connections/", "SEALED_TABLE": "credentials", "CHOSEN_STORE": store}
    with in_memory():
        make_table(CREDENTIALS, "credentials")
        PlatformResources(read_settings(settings)).secrets.put("c/1", {"password": "x"}, "c")
        reader = PlatformResources(read_settings(settings)).secrets
        before = Counter(clients.calls)
        reader.get("c/1")
        asked = clients.calls - before
    assert asked["secretsmanager.GetSecretValue"] == access.calls
    assert asked["dynamodb.GetItem"] == access.read_units
    assert asked.total() == access.calls + access.read_units


def test_what_stands_is_counted_in_the_template():
    found, drawn = cost.standing(), template.load()
    kinds = Counter(one["Type"] for one in drawn["Resources"].values())
    assert found.dashboards == kinds["AWS::CloudWatch::Dashboard"] == 1
    assert found.keys == kinds["AWS::KMS::Key"]
    assert found.alarm_metrics > kinds["AWS::CloudWatch::Alarm"] > 30


@pytest.mark.parametrize("connections", sorted(cost.GOALS))
def test_the_goals_are_met_with_sealed_credentials(connections: int):
    sealed = cost.bill(connections, cost.Use(), sealed=True)
    apart = cost.bill(connections, cost.Use(), sealed=False)
    assert sum(sealed.values()) <= cost.GOALS[connections]
    assert sum(sealed.values()) < sum(apart.values())


def test_sealing_saves_nothing_where_every_client_has_one_connection():
    use = cost.Use(connections_per_client=1)
    sealed, apart = (cost.bill(1_000, use, sealed=one) for one in (True, False))
    assert sealed["secrets and keys of clients"] == apart["secrets and keys of clients"]


@pytest.mark.parametrize("connections", sorted(cost.GOALS))
def test_the_fewest_connections_a_client_that_meet_a_goal_just_meet_it(connections: int):
    fewest = cost.fewest_connections_per_client(connections, cost.Use(), cost.GOALS[connections])
    assert 1 < fewest < cost.Use().connections_per_client
    clients_at_most = int(connections / fewest)
    assert (
        sum(cost.bill(connections, cost.Use(), sealed=True, clients=clients_at_most).values())
        <= cost.GOALS[connections]
    )
    more = cost.bill(connections, cost.Use(), sealed=True, clients=clients_at_most + 1)
    assert sum(more.values()) > cost.GOALS[connections]


def test_everything_that_goes_in_is_printed(capsys: pytest.CaptureFixture[str]):
    cost.main(["--connections", "1000"])
    said = capsys.readouterr().out
    for name, price in cost.PRICES.items():
        assert f"{name} {price:.10g}" in said
    assert "connections per client 10" in said
    assert "secret reads 9" in said


def test_the_page_with_the_table_says_what_the_model_says():
    """To a tenth: an alarm more need not be written down at once. `make cost PAGE=1` writes it anew."""
    written, now = (
        [float(word.strip(" *").replace(",", "")) for word in line.split("|")[2:-1]]
        for line in (total(COST_PAGE.read_text()), total(cost.page()))
    )
    assert written == pytest.approx(now, rel=0.1)


def total(page: str) -> str:
    (line,) = [line for line in page.splitlines() if line.startswith("| **all**")]
    return line
