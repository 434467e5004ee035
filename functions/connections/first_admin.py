"""For CloudFormation: makes the first platform administrator when the hub is deployed."""

from erphub import app
from erphub.tenancy.first_administrator import CustomResource
from erphub.tenancy.service import TenancyService

handler = CustomResource(
    lambda email: app.services().get(TenancyService).make_first_administrator(email).id,
    lambda email: app.services().get(TenancyService).end_first_administrator(email),
)
