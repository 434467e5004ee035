"""What every connected ERP can be asked: whether it answers, which companies it has, what can be chosen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from erphub.erp.probes import Probe
from erphub.platform.characters import named


@dataclass(frozen=True)
class FoundCompany:
    """A company the login can see. `key` is the ERP's own stable key; `problem` says why it cannot be opened."""

    key: str
    name: str
    problem: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the system wants to remember about it (a database's name), kept with the connection. `installation`, where
    keys are not unique by themselves, is the installation it lies in by the ERP's own account: never what was typed."""

    def __post_init__(self) -> None:
        # For people; the key, and what is read of the source, stay as they are.
        object.__setattr__(self, "name", named(self.name, self.key))


@dataclass(frozen=True)
class FoundChoice:
    """Something of a company that a setting of the connection can name: by the ERP's own key, unique in the company."""

    company: str
    company_name: str
    own_key: str
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "company_name", named(self.company_name, self.company))
        object.__setattr__(self, "name", named(self.name, self.own_key))

    @property
    def key(self) -> str:
        """The key among all companies of the connection."""
        return f"{self.company}/{self.own_key}"


@runtime_checkable
class ErpAdapter(Protocol):
    """Any connected ERP."""

    def check(self) -> Iterator[Probe]:
        """The stages of a connection test, as they finish; ends after the first that fails (the rest as skipped)."""
        ...


@runtime_checkable
class ListsCompanies(Protocol):
    """A system that knows several legal entities."""

    def companies(self) -> Sequence[FoundCompany]:
        """Every company the login can see, those it cannot open with the reason. Sorted by name."""
        ...


@runtime_checkable
class ListsOptions(Protocol):
    """A system whose wizard has fields that are chosen from lists the ERP keeps."""

    def choices(self, field: str, company: FoundCompany) -> Sequence[FoundChoice]:
        """What there is to choose from for a field in a company; all of it or none. Raises ErpRefused, Unavailable."""
        ...
