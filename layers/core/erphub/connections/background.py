"""Connections as work in the background uses them: refused once, credentials are tried once more, by one alone.

A server that starts or fails over refuses a right login for a moment (`CredentialsDoubted`). The first such refusal
marks the connection (`Health.sign_in_from`). From that instant on the next who wants to use it claims the second try by
a conditional write, signs in once, and tells what came of it: let in, the connection is `active` again; refused, it is
`reauth_required`. Whoever comes before or meanwhile is put off without asking the ERP. A claim whose outcome was lost
(the worker died, the ERP did not answer) counts as one try: the next may be claimed `SECOND_TRY_AFTER` later.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import override

from erphub.connections import problems
from erphub.connections.erp_access import ErpAccess
from erphub.connections.health import HealthService
from erphub.connections.models import Connection
from erphub.connections.ports import OpensConnections
from erphub.erp.probes import Outcome, Probe, Stage
from erphub.erp.system import ErpAdapter
from erphub.platform.clock import Clock
from erphub.platform.errors import CredentialsRefused, Unavailable
from erphub.platform.problem_documents import as_problem
from erphub.platform.wire import instant


@dataclass(frozen=True)
class BackgroundErpAccess(OpensConnections):
    """The way to connected ERP systems for work that nobody watches."""

    erp: ErpAccess
    health: HealthService
    clock: Clock

    @override
    def connected(self, connection: Connection) -> ErpAdapter:
        adapter = self.erp.connected(connection)
        if connection.sign_in_from is not None:
            self._try_once_more(connection, adapter)
        return adapter

    def _try_once_more(self, connection: Connection, adapter: ErpAdapter) -> None:
        ids, began = (connection.client_id, connection.id), self.clock()
        if not self.health.claim_sign_in(connection):
            allowed_from = max(connection.sign_in_from or began, began)
            raise problems.LOGIN_DOUBTED(allowed_from=instant(allowed_from))
        last = _sign_in(adapter)
        if last is None or last.outcome is not Outcome.FAILED:
            self.health.report_signed_in(*ids)
        elif last.refused:
            error = CredentialsRefused.restored(last.code, last.detail)
            self.health.report_refusal(*ids, as_problem(error), began, is_final=True)
            raise error
        else:
            raise Unavailable.restored(last.code, last.detail)


def _sign_in(adapter: ErpAdapter) -> Probe | None:
    """One login and no more: what the login came to, or the stage before it that failed."""
    checks, last = adapter.check(), None
    for last in checks:
        if last.stage is Stage.LOGIN or last.outcome is Outcome.FAILED:
            break
    if isinstance(checks, Generator):
        checks.close()
    return last
