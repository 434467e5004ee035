"""What a run costs, estimated from its counted calls, its tasks and their time."""

from collections.abc import Mapping

from erphub.imports.runs.models import Run
from erphub.imports.runs.schemas import RunCost

_WRITE, _READ = 0.625e-6, 0.125e-6
_USD_PER_CALL = {
    "dynamodb.GetItem": _READ,
    "dynamodb.Query": 4 * _READ,
    "dynamodb.BatchGetItem": 25 * _READ,
    "dynamodb.PutItem": 2 * _WRITE,
    "dynamodb.UpdateItem": 2 * _WRITE,
    "dynamodb.DeleteItem": _WRITE,
    "dynamodb.BatchWriteItem": 25 * _WRITE,
    "s3.GetObject": 0.4e-6,
    "secrets-manager.GetSecretValue": 5e-6,
}
"""List prices of us-east-1 in 2026; other S3 requests count as writes."""
_USD_PER_S3_WRITE, _USD_PER_GB_SECOND, _USD_PER_REQUEST, _USD_PER_TRANSITION = 5e-6, 0.0000133334, 0.2e-6, 25e-6
TASK_MEMORY_GB = 1.728
TRANSITIONS_PER_TASK, TRANSITIONS_PER_RUN = 2, 8


def cost_of(run: Run) -> RunCost:
    """What the run has cost so far; the engine's own S3 requests are an estimate."""
    calls = sum(count * _usd_per_call(call) for call, count in run.calls.items())
    compute = run.lambda_ms / 1000 * TASK_MEMORY_GB * _USD_PER_GB_SECOND + run.tasks * _USD_PER_REQUEST
    transitions = (run.tasks * TRANSITIONS_PER_TASK + TRANSITIONS_PER_RUN) * _USD_PER_TRANSITION
    return RunCost(
        aws_calls=dict(sorted(run.calls.items())),
        task_count=run.tasks,
        lambda_duration_ms=run.lambda_ms,
        estimated_usd=f"{calls + compute + transitions:.6f}",
    )


def calls_between(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The calls made between two readings of the counter."""
    return {call: count - before.get(call, 0) for call, count in after.items() if count > before.get(call, 0)}


def _usd_per_call(call: str) -> float:
    return _USD_PER_CALL.get(call, _USD_PER_S3_WRITE if call.startswith("s3.") else 0.0)
