"""What signing in brings to the hub."""

from erphub.platform.capability import Capability, Variable

capability = Capability(
    "sign_in",
    "Signing in",
    environment=(Variable("USER_POOL_ID"), Variable("USER_POOL_ISSUER"), Variable("USER_POOL_CLIENT_ID")),
)
