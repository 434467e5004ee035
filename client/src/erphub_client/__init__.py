"""ERP Hub for Python: `Hub` has every operation of the API as a typed method."""

from erphub_client.generated import models
from erphub_client.hub import Hub
from erphub_client.problems import HubProblem
from erphub_client.requests import FixedToken, Token
from erphub_client.retries import Retries
from erphub_client.waiting import StillGoing

__version__ = "1.0.0"
__all__ = ["FixedToken", "Hub", "HubProblem", "Retries", "StillGoing", "Token", "models"]
