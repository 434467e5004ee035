"""What every model of the API has in common."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value of the API. Fields that this client does not know are left out; what was not set is not sent."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore", defer_build=True, protected_namespaces=())
