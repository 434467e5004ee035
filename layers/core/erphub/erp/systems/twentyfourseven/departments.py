"""The departments that a connection uses: what there is to choose, what was chosen, and what vouchers may name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from erphub.erp.documents import DocumentKind
from erphub.erp.posting import Choice, Posting
from erphub.erp.system import FoundChoice, FoundCompany
from erphub.erp.systems.twentyfourseven import problems

FIELD = "departments"
_IN_VOUCHERS = (DocumentKind.SETTLEMENT, DocumentKind.INVOICE)


def found(company: FoundCompany, names: Mapping[str, str]) -> Sequence[FoundChoice]:
    """A company's departments, to be chosen from."""
    return [FoundChoice(company.key, company.name, number, name or number) for number, name in names.items()]


class Departments:
    """What was chosen in the wizard: `all`, or departments company by company; one without any is not limited."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        chosen: Any = settings.get(FIELD)
        keys: list[str] = [str(key) for key in chosen] if isinstance(chosen, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        self._chosen: dict[str, list[str]] = {}
        for key in keys:
            company, _, number = key.partition("/")
            self._chosen.setdefault(company, []).append(number)

    def among(self, company: str, offered: Sequence[Choice]) -> Sequence[Choice]:
        """Those of a company's departments that may be used."""
        mine = self._of(company)
        return [choice for choice in offered if choice.key in mine] if mine else offered

    def routed(self, kind: DocumentKind, posting: Posting) -> Posting:
        """The posting with the only department there is, where it names none.

        Raises ErpRefused (`department_not_chosen`) when it names one that the connection does not use.
        """
        mine = self._of(str(posting.routing.get("company") or ""))
        named = str(posting.routing.get("department") or "")
        if kind not in _IN_VOUCHERS or not mine or named in mine:
            return posting
        if named:
            raise problems.DEPARTMENT_NOT_CHOSEN(department=named)
        return self.completed(posting)

    def completed(self, posting: Posting) -> Posting:
        """The posting of a voucher with the only department there is, where it names none."""
        mine = self._of(str(posting.routing.get("company") or ""))
        if posting.routing.get("department") or len(mine) != 1:
            return posting
        return replace(posting, routing={**posting.routing, "department": mine[0]})

    def must_be_there(self, names: Callable[[str], Mapping[str, str]]) -> None:
        """Look whether all that were chosen still exist. Raises Warned (`department_gone`)."""
        gone = [
            f"{number} of company {company}"
            for company, numbers in self._chosen.items()
            for number in sorted(set(numbers) - names(company).keys())
        ]
        if gone:
            from erphub.erp.transports.http.stages import Warned

            raise Warned(problems.DEPARTMENT_GONE.code, problems.DEPARTMENT_GONE.render(departments=", ".join(gone)))

    def _of(self, company: str) -> Sequence[str]:
        """Those chosen of a company; of the only one there is, when it is not named."""
        if not company and len(self._chosen) == 1:
            return next(iter(self._chosen.values()))
        return self._chosen.get(company, ())
