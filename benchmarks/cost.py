"""What a deployment costs a month, by item and by store of credentials: `make cost CONNECTIONS=1000 CLIENTS=100`.

An estimate from three kinds of figures, each stated below and printed: list prices, counts, and what a connection is
assumed to do in a month. Counts are those of the template; of a transfer, a document and a reading of credentials,
which tests hold against what they count; an import's, shared out from runs that were counted whole; and estimates of
the rest.
Without free tiers, taxes, support, and what leaves AWS. A client with one connection has a key for one password:
sealing saves nothing then, whatever the deployment's size.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from local import template

# --- prices: dollars, list, us-east-1, as of 2026 --------------------------------------------------------------------

SECRET_A_MONTH = 0.40
PRICES: Mapping[str, float] = {
    "DynamoDB write unit": 0.625e-6,
    "DynamoDB read unit": 0.125e-6,
    "DynamoDB GB": 0.25,
    "DynamoDB point-in-time GB": 0.20,
    "Secrets Manager secret": SECRET_A_MONTH,
    "Secrets Manager call": 0.05 / 10_000,
    "KMS key": 1.00,
    "KMS call": 0.03 / 10_000,
    "Lambda GB-second": 0.0000133334,
    "Lambda request": 0.20e-6,
    "Step Functions transition": 0.025 / 1_000,
    "API Gateway request": 3.50e-6,
    "S3 GB": 0.023,
    "S3 write": 0.005 / 1_000,
    "S3 read": 0.0004 / 1_000,
    "CloudWatch alarm metric": 0.10,
    "CloudWatch dashboard": 3.00,
    "CloudWatch metric": 0.30,
    "CloudWatch Logs GB": 0.50,
    "EventBridge event": 1.00e-6,
}

DAYS = 365 / 12
MINUTES = DAYS * 24 * 60


# --- what a connection does in a month: assumptions ------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """What is assumed of one connection and month; an overlay of `make cost` changes any of them."""

    connections_per_client: float = 10.0
    webhooks_per_client: float = 1.0
    imports: float = DAYS
    """Runs of one company and eight datasets: every night."""
    transfers: float = DAYS
    documents: float = 300.0
    """Settlements sent: about ten a day, one a till."""
    requests: float = 600.0
    """Of the API, people's and programs'."""
    deliveries: float = 60.0
    """Events that a webhook is told."""
    wizards: float = 0.1
    """Walks through the wizard: a connection is made once and edited seldom."""
    lake_gb: float = 0.05
    tables_gb: float = 0.002
    log_kb: float = 3_000.0


# --- counts: what the hub asks of AWS for one of each ----------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """For one act. Units of DynamoDB are those of AWS: 1 KB written, 4 KB read, twice that in a transaction."""

    write_units: float = 0.0
    read_units: float = 0.0
    secret_reads: float = 0.0
    """Times that credentials are read."""
    kms_calls: float = 0.0
    gb_seconds: float = 0.0
    functions: float = 0.0
    transitions: float = 0.0
    s3_writes: float = 0.0
    s3_reads: float = 0.0
    events: float = 0.0


UNITS = {
    # Units (written, read) of a call, about: an item of up to 1 KB, written with one or two of its indexes.
    "PutItem": (3.0, 0.0),
    "UpdateItem": (2.0, 0.0),
    "DeleteItem": (1.0, 0.0),
    "BatchWriteItem": (25.0, 0.0),
    "TransactWriteItems": (12.0, 0.0),
    "GetItem": (0.0, 1.0),
    "BatchGetItem": (0.0, 4.0),
    "Query": (0.0, 4.0),
}
IMPORT_CALLS = {"GetItem": 74, "PutItem": 39, "Query": 16, "UpdateItem": 164, "BatchWriteItem": 6, "DeleteItem": 3}
"""Of a run of one company and eight datasets: a quarter of the run of four companies that operations.md counts (1,440
calls, 35 tasks), shared out as in the run that RESULTS.md counts call by call; the rest are requests to S3."""
TRANSFER_CALLS = {"PutItem": 6, "GetItem": 7, "Query": 12, "UpdateItem": 3, "BatchGetItem": 1}
"""Of a transfer, however many documents it has; a test counts them."""
DOCUMENT_CALLS = {"PutItem": 6, "GetItem": 4, "UpdateItem": 1, "BatchGetItem": 2, "TransactWriteItems": 1}
"""Of a settlement that is handed in and sent; a test counts them."""


def _units(calls: Mapping[str, int]) -> dict[str, float]:
    return {
        "write_units": sum(UNITS[name][0] * count for name, count in calls.items()),
        "read_units": sum(UNITS[name][1] * count for name, count in calls.items()),
    }


IMPORT = Counts(
    **_units(IMPORT_CALLS), secret_reads=9, kms_calls=1, gb_seconds=15, functions=10, transitions=28, s3_writes=80,
    s3_reads=66, events=1,
)  # fmt: skip
TRANSFER = Counts(**_units(TRANSFER_CALLS), secret_reads=1, kms_calls=1, gb_seconds=2, functions=1)
DOCUMENT = Counts(**_units(DOCUMENT_CALLS), gb_seconds=0.25, functions=0.1, s3_writes=1, s3_reads=1)
REQUEST = Counts(write_units=0.5, read_units=4, gb_seconds=0.03, functions=1)
DELIVERY = Counts(write_units=3, read_units=2, secret_reads=1, gb_seconds=0.1, functions=1, events=1)
WIZARD = Counts(write_units=60, read_units=80, secret_reads=8, gb_seconds=10, functions=25, transitions=40)


@dataclass(frozen=True)
class Access:
    """What one reading of credentials asks of AWS, in each store."""

    calls: float
    read_units: float


SECRET_PER_CONNECTION = Access(calls=1, read_units=0)
SEALED_PER_CLIENT = Access(calls=1, read_units=1)
"""At most: the key is kept for five minutes, so that busy functions ask for it less often. A test counts both."""
TICKS_A_MINUTE = 3
TICK = Counts(read_units=5, gb_seconds=0.05, functions=1)


@dataclass(frozen=True)
class Standing:
    """What the template makes, whether anybody uses it or not."""

    alarm_metrics: int
    dashboards: int
    metrics: int
    """Made from log lines; one that nothing is written to costs nothing, so this is the most."""
    keys: int


@cache
def standing() -> Standing:
    """Counted in template.yaml."""
    drawn = template.load()
    alarms = template.of_type(drawn, "AWS::CloudWatch::Alarm").values()
    return Standing(
        # An alarm on an expression is paid by the metrics in it.
        alarm_metrics=sum(max(1, sum("MetricStat" in one for one in alarm.get("Metrics", []))) for alarm in alarms),
        dashboards=len(template.of_type(drawn, "AWS::CloudWatch::Dashboard")),
        metrics=len(template.of_type(drawn, "AWS::Logs::MetricFilter")),
        keys=len(template.of_type(drawn, "AWS::KMS::Key")),
    )


# --- the bill --------------------------------------------------------------------------------------------------------


def _times(counts: Counts, number: float) -> Counts:
    return Counts(**{one.name: getattr(counts, one.name) * number for one in fields(counts)})


def _dollars(counts: Counts, access: Access) -> float:
    price = PRICES
    return (
        counts.write_units * price["DynamoDB write unit"]
        + (counts.read_units + counts.secret_reads * access.read_units) * price["DynamoDB read unit"]
        + counts.secret_reads * access.calls * price["Secrets Manager call"]
        + counts.kms_calls * price["KMS call"]
        + counts.gb_seconds * price["Lambda GB-second"]
        + counts.functions * price["Lambda request"]
        + counts.transitions * price["Step Functions transition"]
        + counts.s3_writes * price["S3 write"]
        + counts.s3_reads * price["S3 read"]
        + counts.events * price["EventBridge event"]
    )


def bill(connections: int, use: Use, *, sealed: bool, clients: int | None = None) -> dict[str, float]:
    """Dollars a month by item."""
    access = SEALED_PER_CLIENT if sealed else SECRET_PER_CONNECTION
    number = clients if clients is not None else max(1, round(connections / use.connections_per_client))
    stands, price = standing(), PRICES
    secrets = (number if sealed else connections) + number * use.webhooks_per_client

    def each(counts: Counts, times: float) -> float:
        return _dollars(_times(counts, times * connections), access)

    return {
        "secrets and keys of clients": secrets * price["Secrets Manager secret"],
        "watching (alarms, dashboard, metrics)": stands.alarm_metrics * price["CloudWatch alarm metric"]
        + stands.dashboards * price["CloudWatch dashboard"]
        + stands.metrics * price["CloudWatch metric"],
        "key of tokens": stands.keys * price["KMS key"],
        "schedules that tick": _dollars(_times(TICK, TICKS_A_MINUTE * MINUTES), access),
        "imports": each(IMPORT, use.imports),
        "transfers": each(TRANSFER, use.transfers) + each(DOCUMENT, use.documents),
        "requests": each(REQUEST, use.requests) + connections * use.requests * price["API Gateway request"],
        "webhooks": each(DELIVERY, use.deliveries),
        "wizards": each(WIZARD, use.wizards),
        "storage (lake, tables with their copies)": connections
        * (use.lake_gb * price["S3 GB"] + use.tables_gb * (price["DynamoDB GB"] + price["DynamoDB point-in-time GB"])),
        "logs": connections * use.log_kb / 1e6 * price["CloudWatch Logs GB"],
    }


def fewest_connections_per_client(connections: int, use: Use, goal: float) -> float:
    """How many connections a client must have on average for the bill with sealed credentials to meet the goal."""
    now = bill(connections, use, sealed=True)
    others = sum(now.values()) - now["secrets and keys of clients"]
    of_a_client = (1 + use.webhooks_per_client) * SECRET_A_MONTH
    return connections * of_a_client / (goal - others) if goal > others else float("inf")


GOALS = {10: 21, 1_000: 175, 100_000: 18_500}
"""Dollars a month with sealed credentials."""


def table(connections: Sequence[int], use: Use, clients: int | None = None) -> str:
    """Both stores side by side, by item."""
    columns = [
        (f"{number:,}, {'sealed' if sealed else 'a secret each'}", bill(number, use, sealed=sealed, clients=clients))
        for number in connections
        for sealed in (False, True)
    ]
    lines = ["| a month, $ | " + " | ".join(name for name, _ in columns) + " |", "|---" + "|---:" * len(columns) + "|"]
    for item in columns[0][1]:
        lines.append(f"| {item} | " + " | ".join(f"{one[item]:,.2f}" for _, one in columns) + " |")
    lines.append("| **all** | " + " | ".join(f"**{sum(one.values()):,.2f}**" for _, one in columns) + " |")
    lines.append("")
    for number in sorted(GOALS.keys() & set(connections)):
        fewest = fewest_connections_per_client(number, use, GOALS[number])
        said = f"{number:,} connections, sealed: at most ${GOALS[number]:,} a month"
        lines.append(f"{said} from {fewest:.1f} connections a client on.  ")
    return "\n".join(lines)


def stated(use: Use) -> str:
    """Every price, count and assumption that went in."""
    stands = standing()
    lines = ["Prices ($): " + ", ".join(f"{name} {price:.10g}" for name, price in PRICES.items()) + "."]
    lines.append("Assumed of a connection and month: " + _said(use) + ".")
    lines.append("Counted in the template: " + _said(stands) + f"; {TICKS_A_MINUTE} ticks a minute.")
    acts = {"an import": IMPORT, "a transfer": TRANSFER, "a document": DOCUMENT, "a request": REQUEST}
    acts |= {"a delivery": DELIVERY, "a wizard": WIZARD, "a tick": TICK}
    lines += [f"Counted for {name}: {_said(counts)}." for name, counts in acts.items()]
    for name, access in (("a secret each", SECRET_PER_CONNECTION), ("sealed", SEALED_PER_CLIENT)):
        lines.append(f"Reading credentials, {name}: {_said(access)}.")
    return "\n\n".join(lines)


def _said(of: Any) -> str:
    values = {one.name.replace("_", " "): getattr(of, one.name) for one in fields(of)}
    return ", ".join(f"{name} {value:.6g}" for name, value in values.items() if value)


def page() -> str:
    """benchmarks/COST.md."""
    head = "# What a deployment costs a month\n\nMade by `make cost PAGE=1` from `benchmarks/cost.py`; an estimate.\n"
    return f"{head}\n{table(list(GOALS), Use())}\n\n{stated(Use())}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the bill of so many connections."""
    parser = argparse.ArgumentParser(prog="benchmarks.cost")
    parser.add_argument("--connections", type=int, nargs="+", default=list(GOALS))
    parser.add_argument("--clients", type=int)
    parser.add_argument("--page", action="store_true", help="write benchmarks/COST.md")
    given = parser.parse_args(arguments)
    use = Use()
    if given.page:
        Path(__file__).with_name("COST.md").write_text(page())
    print(f"{table(given.connections, use, given.clients)}\n\n{stated(use)}")


if __name__ == "__main__":
    main()
