"""The people who can sign in: a Cognito user pool whose users are named by their e-mail address."""

from typing import Any, cast, override

from botocore.exceptions import ClientError

from erphub.platform import logging
from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import code_of, later_when_busy
from erphub.tenancy import problems
from erphub.tenancy.models import User
from erphub.tenancy.ports import UserDirectory

_NOT_MAILED = {"CodeDeliveryFailureException", "LimitExceededException", "InvalidEmailRoleAccessPolicyException"}
"""Cognito made no mail of it: none are left of the day's 50, or SES refuses the identity."""

_later = later_when_busy(problems.SIGN_IN_BUSY)


class CognitoUsers(UserDirectory):
    """The user pool of this deployment."""

    def __init__(self, pool_id: str) -> None:
        self._pool_id = pool_id

    @override
    @_later
    def find(self, who: str) -> User | None:
        try:
            answer = client("cognito-idp").admin_get_user(UserPoolId=self._pool_id, Username=who)
        except ClientError as error:
            if code_of(error) in {"UserNotFoundException", "InvalidParameterException"}:
                return None
            raise
        user = _user(answer["UserAttributes"], answer["Username"])
        if "@" in who and (user.email or "").lower() != who.lower():
            raise problems.EMAIL_UNCONFIRMED()
        return user

    @override
    @_later
    def invite(self, email: str) -> User:
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        try:
            answer = client("cognito-idp").admin_create_user(
                UserPoolId=self._pool_id,
                Username=email,
                UserAttributes=cast(Any, attributes),
                DesiredDeliveryMediums=["EMAIL"],
            )
        except ClientError as error:
            if code_of(error) in _NOT_MAILED:
                logging.logger().error("invitation not sent", extra={"refusal": code_of(error)})
                raise problems.INVITATION_NOT_SENT() from error
            if code_of(error) == "InvalidParameterException":
                raise problems.ADDRESS_NOT_TAKEN() from error
            there = self.find(email) if code_of(error) == "UsernameExistsException" else None
            if there is None:
                raise
            return there
        user = cast(dict[str, Any], answer["User"])
        return _user(user["Attributes"], user["Username"])


def _user(attributes: Any, username: str) -> User:
    """The user; an address that was not confirmed is nobody's."""
    values = {attribute["Name"]: attribute["Value"] for attribute in attributes}
    confirmed = values.get("email_verified") == "true"
    return User(values.get("sub", username), values.get("email") if confirmed else None)
