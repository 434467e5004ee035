"""How the authorizer is made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from erphub.platform.services import Services
    from erphub.sign_in.authorizer import RequestAuthorizer


def request_authorizer(services: "Services") -> "RequestAuthorizer":
    """Who is calling."""
    from erphub.api_keys.credentials.dynamodb import CredentialTable
    from erphub.sign_in.authorizer import RequestAuthorizer
    from erphub.sign_in.cognito import PoolAddresses, PoolKeys
    from erphub.sign_in.keys import KeySignIn
    from erphub.sign_in.signing_keys import SigningKeys
    from erphub.sign_in.tokens import TokenSignIn
    from erphub.tenancy.cognito import CognitoUsers

    platform = services.platform
    settings, clock = platform.settings, platform.clock
    keys = SigningKeys(PoolKeys(settings.user_pool_keys_url), clock)
    people = PoolAddresses(CognitoUsers(settings.user_pool))
    return RequestAuthorizer(
        KeySignIn(CredentialTable(platform.table), clock),
        TokenSignIn(keys, people, settings.user_pool_issuer, settings.user_pool_client, clock),
    )


PROVIDES = (request_authorizer,)
