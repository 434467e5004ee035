"""For CloudFormation: makes the first platform administrator when the hub is deployed."""

from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.tenancy import first_administrator
from erphub.tenancy.first_administrator import FirstAdministrator

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Answer one event of the custom resource."""
    first_administrator.answer(event, context, lambda: app.services().get(FirstAdministrator))
