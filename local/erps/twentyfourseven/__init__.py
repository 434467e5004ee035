"""A 24SevenOffice that stands in: REST v1 and SOAP over one state, with faults to switch on and an admin view.

`app = App.seeded()`; in process `httpx.Client(transport=Transport(app))`, on loopback `with Server(app) as server`.
The four hosts of the vendor are mounts (`/login`, `/rest`, `/api`, `/webservices`) and known by name, too.
"""

from .app import App
from .server import Server
from .transport import Transport

__all__ = ["App", "Server", "Transport"]
