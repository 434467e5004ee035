"""A SQL Server that stands in for a real one in tests and in the demo. It never ships.

It speaks TDS 7.4 to real drivers, but executes only the hub's own short list of statements: it shows what the wire and
the clients do, and never whether a T-SQL text is right. That list is run once on a real server before a release.
"""

from local.sqlserver.catalogue import Catalogue, Database, Login, Table
from local.sqlserver.errors import SqlError
from local.sqlserver.server import StandIn
from local.sqlserver.tunnel import Certificate, certificate

__all__ = ["Catalogue", "Certificate", "Database", "Login", "SqlError", "StandIn", "Table", "certificate"]
