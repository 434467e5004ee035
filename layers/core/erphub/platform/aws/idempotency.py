"""Answers of requests that may come twice, kept for a day beside the tenants' data (Powertools idempotency).

Imported only when a request carries an Idempotency-Key: it costs more than the rest of a cold start's imports together.
"""

from collections.abc import Callable
from typing import Any, cast

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)

from erphub.platform.aws.clients import client
from erphub.platform.errors import Conflict, ServiceBusy

_DAY = 24 * 3600


class _Gateway:
    """How long a request can go on at most: after that the same key may be tried anew."""

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


class IdempotencyRecords:
    """Satisfies `platform.idempotency.IdempotencyStore` with items under `IDEMPOTENCY#<owner>`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def __call__(self, owner: str, key: str, request: Any, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """See the port. Raises Conflict, Unavailable."""
        store = DynamoDBPersistenceLayer(
            self._table,
            key_attr="pk",
            sort_key_attr="sk",
            static_pk_value=f"IDEMPOTENCY#{owner}",
            expiry_attr="expires_at",
            boto3_client=client("dynamodb"),
        )
        config = IdempotencyConfig(
            event_key_jmespath="key", payload_validation_jmespath="request", expires_after_seconds=_DAY
        )

        config.register_lambda_context(cast(Any, _Gateway()))

        @idempotent_function(data_keyword_argument="data", persistence_store=store, config=config, key_prefix="request")
        def answer(data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 — read by the decorator
            return work()

        try:
            return cast(dict[str, Any], answer(data={"key": key, "request": request}))
        except IdempotencyAlreadyInProgressError as error:
            raise Conflict(
                "The first request with this Idempotency-Key is still being worked on.", code="idempotency_key_in_use"
            ) from error
        except IdempotencyValidationError as error:
            raise Conflict(
                "This Idempotency-Key came before with another request. Use a new one.", code="idempotency_key_reused"
            ) from error
        except IdempotencyPersistenceLayerError as error:
            raise ServiceBusy("The table is busy. Try again in a moment.", code="table_busy") from error
