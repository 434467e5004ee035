"""What of the registry of companies hangs on a connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from erphub.companies.models import KnownCompany
from erphub.platform.aws.removal import Items, Quiet, mark_of
from erphub.platform.removal import ConnectionRef, Found
from erphub.platform.tasks import TimeLeft


@dataclass(frozen=True)
class Companies(Items):
    """Companies in use, and those of edits that were not finished or are no longer in use."""

    def find(self, of: ConnectionRef) -> Found:
        """See the port. Only those in use are shown."""
        used = [item for item in self.items(of) if item["sk"].split("#")[2] == of.generation]
        return Found(
            len(used), sorted(item["name"] for item in used), mark=mark_of(sorted(item["sk"] for item in used))
        )


@dataclass(frozen=True)
class LicencesUsed(Quiet):
    """The companies that the customer's licences count; a licence comes free when nobody else has its company."""

    held: Callable[[str, str], Sequence[KnownCompany]] = field(kw_only=True)
    release: Callable[[str, str], object] = field(kw_only=True)

    def find(self, of: ConnectionRef) -> Found:
        """See the port."""
        freed = [one for one in self.held(of.client_id, of.id) if len(one.holders) == 1]
        return Found(len(freed), sorted(one.name for one in freed), mark=mark_of(sorted(one.id for one in freed)))

    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:  # noqa: ARG002
        """See the port."""
        self.release(of.client_id, of.id)
        return True
