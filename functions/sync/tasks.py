"""The door of the work behind a sync: transfers, dry runs, batches. Called without waiting, or by transfer.asl.json.

A final failure is kept with the transfer; only what is worth another try is raised.
"""

from typing import TYPE_CHECKING, Any

from erphub import observe, wiring

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Do the task that the event names."""
    observe.forget()
    about = {name: event.get(name) for name in ("task", "client_id", "connection_id", "transfer_id")}
    done = wiring.sync.task(event, context.aws_request_id, lambda: context.get_remaining_time_in_millis() / 1000)
    observe.logger().info("task", extra=about | done)
    if counts := done.get("counts"):
        figures = {f"documents_{name}": count for name, count in counts.items()}
        observe.figures({"operation": "transfer"}, **figures)
    return done
