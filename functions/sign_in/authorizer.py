"""Who is calling: asked by the gateway with a caller's token or key, about once a minute for each."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.sign_in.authorizer import RequestAuthorizer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

for module in ("erphub.api_keys.credentials.dynamodb", "erphub.sign_in.cognito", "erphub.tenancy.cognito"):
    # While the function starts, when it has a whole processor, and not while somebody waits.
    import_module(module)


def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    """Answer one question. Raises Unavailable."""
    return app.services().get(RequestAuthorizer).answer(event)
