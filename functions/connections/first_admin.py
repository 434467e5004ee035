"""The door for CloudFormation: makes the first platform administrator when the hub is deployed."""

from erphub import wiring
from erphub.tenancy import first_administrator as first_admin

handler = first_admin.CustomResource(
    lambda email: wiring.house.tenants().make_first_administrator(email).id,
    lambda email: wiring.house.tenants().end_first_administrator(email),
)
