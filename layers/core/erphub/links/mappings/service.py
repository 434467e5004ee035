"""Mappings of a connection: shown with both sides' fields and a proposal, saved when nothing stands against it."""

from dataclasses import dataclass, replace

from erphub.connections.access import require_active
from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore, OpensConnections, UsedCompanies
from erphub.erp.actors import ActorType, KnowsActors
from erphub.erp.system import FoundCompany
from erphub.links import problems
from erphub.links.mappings import crm_fields
from erphub.links.mappings.models import ENTITIES, ActiveMappings, FieldsOfBothSides, KeptMapping, MappingSettings
from erphub.links.mappings.ports import MappingStore
from erphub.links.mappings.proposal import propose
from erphub.links.mappings.schemas import (
    ChangedMapping,
    CrmFieldView,
    ErpFieldView,
    MappingObstacle,
    MappingView,
    settings_of,
)
from erphub.links.mappings.validation import obstacles
from erphub.platform.actors import ActorDirectory
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock
from erphub.platform.errors import Invalid
from erphub.platform.identity import Member
from erphub.platform.outbound import deadlines
from erphub.platform.problems import VERSION_CONFLICT, VERSION_REQUIRED
from erphub.platform.versions import require_version
from erphub.tenancy.problems import CONNECTION_NOT_FOUND

_ATTEMPTS = 5


@dataclass(frozen=True)
class MappingService:
    """The use cases of mappings."""

    store: MappingStore
    connections: ConnectionStore
    companies: UsedCompanies
    erp: OpensConnections
    actors: ActorDirectory
    clock: Clock

    def get(self, member: Member, connection_id: str, actor_type: str) -> MappingView:
        """A mapping and what it can choose from. Raises NotFound, Conflict, ErpRefused, Unavailable."""
        connection, kind = self._find(member.client_id, connection_id, actor_type)
        kept = self.store.get(member.client_id, connection_id, kind) or _new(connection, kind)
        others = self._active(connection, kind)
        return self._view(kept, self._sides(connection, kind), others)

    def save(self, member: Member, connection_id: str, actor_type: str, body: ChangedMapping) -> MappingView:
        """Save a mapping; one that is to be active must be able to.

        Raises NotFound, Invalid (every reason), Conflict (`version_conflict`), ErpRefused, Unavailable.
        """
        connection, kind = self._find(member.client_id, connection_id, actor_type)
        require_active(connection)
        if body.version is None:
            raise Invalid.of(VERSION_REQUIRED("/version"))
        sides: FieldsOfBothSides | None = None
        for _ in range(_ATTEMPTS):
            before = self.store.get(member.client_id, connection_id, kind) or _new(connection, kind)
            require_version(body.version, before.version or None)
            sides = sides or self._sides(connection, kind)
            active = self._active(connection, kind)
            if body.is_active and (wrong := list(obstacles(body, sides, active.mappings))):
                raise Invalid.of(*wrong)
            wanted = before.model_copy(update={name: getattr(body, name) for name in MappingSettings.model_fields})
            if wanted == before and before.version:
                return self._view(before, sides, active)
            describe_act(old=settings_of(before).model_dump(mode="json"))
            anew = {"updated_at": self.clock(), "updated_by": member.user}
            if kept := self.store.save(wanted.model_copy(update=anew), before.version, active):
                return self._view(kept, sides, active)
        raise VERSION_CONFLICT()

    def _find(self, client_id: str, connection_id: str, actor_type: str) -> tuple[Connection, ActorType]:
        connection = self.connections.get(client_id, connection_id)
        if connection is None:
            raise CONNECTION_NOT_FOUND()
        if actor_type not in {known.value for known in ActorType}:
            raise problems.UNKNOWN_ACTOR_TYPE(actor_type=actor_type)
        return connection, ActorType(actor_type)

    def _sides(self, connection: Connection, actor_type: ActorType) -> FieldsOfBothSides:
        with deadlines.at_most(deadlines.LOOK_UP_SECONDS):
            system = self.erp.connected(connection)
            if not isinstance(system, KnowsActors):
                raise problems.NO_ACTORS()
            support = system.actor_types()[actor_type]
            if isinstance(support, str):
                raise problems.ACTORS_NOT_SUPPORTED(reason=support)
            company = self._any_company(connection)
            fields = system.actor_fields(actor_type, company)
            names = {field.list_name for field in fields if field.list_name is not None}
            lists = {name: system.actor_list(name, company) for name in sorted(names)}
        return FieldsOfBothSides(crm_fields.FIELDS[ENTITIES[actor_type]], fields, lists)

    def _any_company(self, connection: Connection) -> FoundCompany:
        """A company of the connection: fields and lists are those of the installation."""
        found = self.companies.companies(connection.client_id, connection.id)
        return FoundCompany(found[0].key, found[0].name, None, found[0].attributes) if found else FoundCompany("", "")

    def _active(self, connection: Connection, actor_type: ActorType) -> ActiveMappings:
        """The active mappings of other connections for the same records."""
        found = self.store.get_active(connection.client_id, ENTITIES[actor_type])
        return replace(found, mappings=[one for one in found.mappings if one.connection_id != connection.id])

    def _view(self, mapping: KeptMapping, sides: FieldsOfBothSides, others: ActiveMappings) -> MappingView:
        people = self.actors.find(mapping.client_id, [mapping.updated_by])
        wrong = obstacles(mapping, sides, others.mappings)
        return MappingView(
            **dict(settings_of(mapping)),
            actor_type=mapping.actor_type,
            crm_entity=mapping.entity,
            version=mapping.version,
            updated_at=mapping.updated_at,
            updated_by=people.get(mapping.updated_by or ""),
            crm_fields=[CrmFieldView.of(field) for field in sides.crm],
            erp_fields=[ErpFieldView.of(field) for field in sides.erp],
            proposed_pairs=propose(sides, mapping.pairs),
            obstacles=[MappingObstacle(pointer=one.pointer, code=one.code, detail=one.detail) for one in wrong],
        )


def _new(connection: Connection, actor_type: ActorType) -> KeptMapping:
    return KeptMapping(client_id=connection.client_id, connection_id=connection.id, actor_type=actor_type)
