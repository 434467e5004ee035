"""What the hub can connect to: an ERP system described as data, from which forms, docs and checks are made."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from erphub.platform.errors import FieldError

type Json = dict[str, Any]
type Check = Callable[[Mapping[str, Any]], Iterable[FieldError]]
"""What a step's answer must satisfy beyond its fields' forms: takes the whole answer, yields what is wrong."""


class AdapterCapability(StrEnum):
    """What a connection to a system can be used for."""

    COMPANIES = "companies"
    DATASETS = "datasets"
    DOCUMENTS = "documents"
    ACTORS = "actors"
    VOUCHERS = "vouchers"


class AnswerRole(StrEnum):
    """What of a connection, other than a setting of its ERP system, an answer becomes."""

    COMPANIES = "companies"
    CONFIRM_DUPLICATES = "confirm_duplicates"
    NAME = "name"
    SHARED = "shared"
    VOUCHER_ARCHIVE = "voucher_archive"
    VOUCHER_PATH = "voucher_path"


# structure: data alone, named where it is made; a form's field has as many properties as JSON Schema has for it
@dataclass(frozen=True)
class Field:
    """One thing the wizard asks for.

    `choices` maps a value to its title; `when` shows the field only if another field has one of the values;
    `secret` values are write-only: they go to the secret store and never come back.
    """

    name: str
    title: str
    help: str
    type: str = "string"
    example: Any = None
    default: Any = None
    required: bool = True
    needed: str = ""
    """What to say when a required field is empty, where that deserves a reason."""
    secret: bool = False
    multiline: bool = False
    pattern: str | None = None
    max_length: int = 200
    choices: Mapping[str, str] = field(default_factory=dict[str, str])
    warnings: Mapping[str, str] = field(default_factory=dict[str, str])
    """A choice that is allowed but deserves a warning, with its words."""
    when: tuple[str, tuple[str, ...]] | None = None
    schema: Json | None = None
    """The JSON Schema of a field that is more than one value (a list, a mapping); replaces what is derived."""
    listed: bool = False
    """What can be chosen is listed from the ERP for each company in use, under the field's name (`ListsOptions`); the
    answer is `all` or a list of keys. A step of such fields is not asked where there is nothing to choose."""
    keeps_secrets: bool = False
    """Whoever changes it still sends the step's secrets to the same server, organisation and user, signed in to the
    same way. When any other field beside a secret changes, the secret must be entered again, so that whoever may edit
    a connection cannot send its password to a server of their own."""
    names_target: bool = False
    """Whether it says which account of which system is signed in to: refused tries are counted for all of these."""
    role: AnswerRole | None = None
    """What the answer becomes when it is no setting of the system."""

    def is_shown(self, settings: Mapping[str, Any]) -> bool:
        """Whether the field is asked for, given the other answers."""
        return self.when is None or settings.get(self.when[0]) in self.when[1]


@dataclass(frozen=True)
class Link:
    """A page worth reading, for whoever sets up a connection."""

    title: str
    url: str


@dataclass(frozen=True)
class Step:
    """One page of the wizard. `tests` means: when it is answered, the connection is tried before going on.

    `depends_on_server` means: its answer was chosen from what the server shows, and is tried out on it; whoever edits a
    connection to mean another server or login is asked again.
    """

    id: str
    title: str
    help: str
    fields: Sequence[Field]
    tests: bool = False
    depends_on_server: bool = False
    checks: Sequence[Check] = ()

    @property
    def listed(self) -> Sequence[Field]:
        """The fields whose choices come from the ERP."""
        return [item for item in self.fields if item.listed]

    @property
    def recipient(self) -> Sequence[Field]:
        """The fields that say to whom the step's secrets go: all that do not say that they have no part in it."""
        return [item for item in self.fields if not (item.secret or item.role or item.keeps_secrets)]


@dataclass(frozen=True)
class Description:
    """An ERP system, for whoever chooses one."""

    id: str
    title: str
    summary: str
    documentation: Sequence[Link]
    steps: Sequence[Step]
    capabilities: frozenset[AdapterCapability]
    datasets: Sequence[str] = ()
    datasets_when: Mapping[str, tuple[str, tuple[str, ...]]] = field(
        default_factory=dict[str, tuple[str, tuple[str, ...]]]
    )
    """Datasets that only some connections have: when a setting has one of some values; where none are said, when the
    setting is a mapping that names the dataset."""

    def offered(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """The datasets of a connection with these settings."""
        return [one for one in self.datasets if self._has(one, settings)]

    @property
    def fields(self) -> Sequence[Field]:
        """The fields of all steps."""
        return [item for step in self.steps for item in step.fields]

    def target(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """Which account of which system these settings sign in to, however it is typed."""
        names = [item.name for item in self.fields if item.names_target and settings.get(item.name)]
        return {name: str(settings[name]).strip().casefold() for name in names}

    def secrets(self, settings: Mapping[str, Any]) -> Sequence[str]:
        """The names of the secrets that a connection with these settings has."""
        return [item.name for item in self.fields if item.secret and item.is_shown(settings)]

    def _has(self, dataset: str, settings: Mapping[str, Any]) -> bool:
        name, values = self.datasets_when.get(dataset, ("", ("",)))
        if not values:
            return dataset in (settings.get(name) or {})
        return str(settings.get(name, "")) in values
