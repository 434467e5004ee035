"""A client of its own with a connection to the stand-in SQL Server, and what a test does with its imports."""

import time
from decimal import Decimal
from typing import Any

import httpx

from tests.e2e.waiting import until

COMPANY = "F0010"


class Books:
    """One client, one connection, and the ERP behind it."""

    def __init__(self, hub: Any, companies: list[str]) -> None:
        self.hub = hub
        name = f"Books {time.time_ns()}"
        # A customer of its own: within one, a company can be connected only once.
        owner = {"name": name, "administrator": hub.user("administrator")["name"]}
        customer = self.ask("POST", "/customers", json=owner)["id"]
        self.client: str = self.ask("POST", f"/customers/{customer}/clients", json={"name": name})["id"]
        self.server: dict[str, Any] = hub.described["stand_ins"]["sqlserver"]
        self.connection = self._connect(name, companies)

    def ask(self, method: str, path: str, *, expect: tuple[int, ...] = (200, 201, 202, 204), **more: Any) -> Any:
        answer = self.hub.call(method, path, **more)
        assert answer.status_code in expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text else None

    def of_client(self, method: str, path: str, **more: Any) -> Any:
        return self.ask(method, f"/clients/{self.client}{path}", **more)

    # --- the wizard --------------------------------------------------------------------------------------------------

    def _connect(self, name: str, companies: list[str]) -> str:
        wizard = self.of_client("POST", "/wizards", json={"erp_system": "visma-business"})["id"]
        server = {
            "server": f"{self.server['host']},{self.server['port']}",
            "database": "vbsys",
            "authentication": "sql",
            "login": self.server["login"],
            "password": self.server["password"],
            "encryption": "verify",
            "ca_certificate": self.server["authority"],
            "is_shared": False,
        }
        steps = [("server", server), ("companies", {"companies": companies}), ("name", {"name": name})]
        for step, answer in [*steps, ("vouchers", {"voucher_provider": "none"}), ("finish", {})]:
            shown = self._waiting(wizard)
            assert shown["step"] == step, shown
            self.of_client("PUT", f"/wizards/{wizard}/steps/{step}", json=answer)
        return str(self._waiting(wizard)["connection_id"])

    def _waiting(self, wizard: str) -> dict[str, Any]:
        def shown() -> dict[str, Any] | None:
            now = self.of_client("GET", f"/wizards/{wizard}")
            return None if now["status"] == "working" else now

        return until(shown)

    # --- jobs and runs -----------------------------------------------------------------------------------------------

    def jobs(self) -> dict[str, str]:
        return {job["name"]: job["id"] for job in self.of_client("GET", "/import-jobs")["items"]}

    def first_job(self) -> str:
        """The job that runs by itself when the connection is new; the wizard makes it as its last act."""
        return str(until(lambda: self.jobs().get("Everything")))

    def job(self, **values: Any) -> str:
        known = {"name": "Job", "connection_id": self.connection, "period": {"kind": "everything"}}
        return str(self.of_client("POST", "/import-jobs", json=known | values)["id"])

    def start(self, job: str) -> str:
        return str(self.of_client("POST", f"/import-jobs/{job}/runs")["id"])

    def run(self, job: str, run: str) -> dict[str, Any]:
        return self.of_client("GET", f"/import-jobs/{job}/runs/{run}")

    def ended(self, job: str, run: str) -> dict[str, Any]:
        def shown() -> dict[str, Any] | None:
            now = self.run(job, run)
            return None if now["status"] in ("queued", "running") else now

        return until(shown)

    def started_by_itself(self, job: str) -> str:
        def first() -> str | None:
            runs = self.of_client("GET", f"/import-jobs/{job}/runs")["items"]
            return runs[0]["id"] if runs else None

        return until(first)

    def log(self, job: str, run: str) -> list[dict[str, Any]]:
        return self.of_client("GET", f"/import-jobs/{job}/runs/{run}/log", params={"limit": 200})["items"]

    def rows(self, dataset: str, **query: Any) -> list[dict[str, Any]]:
        """All pages."""
        found: list[dict[str, Any]] = []
        word: str | None = None
        while True:
            params = {"limit": 200} | query | ({"next": word} if word else {})
            page = self.of_client("GET", f"/datasets/{dataset}/rows", params=params)
            found += page["items"]
            if (word := page["next"]) is None:
                return found

    # --- the ERP -----------------------------------------------------------------------------------------------------

    def erp(self, method: str, path: str, **body: Any) -> Any:
        answer = httpx.request(method, self.server["admin_url"] + path, json=body or None, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put_company(self, company: str, state: str) -> None:
        """Have a database go offline or come back; nobody may be reading there at that moment."""
        wanted = {"name": company, "state": state}
        address = self.server["admin_url"] + "/databases/state"
        until(lambda: httpx.post(address, json=wanted, timeout=20).is_success or None)

    def sql(self, text: str, company: str = COMPANY) -> list[list[Any]]:
        answer = self.erp("POST", "/sql", database=company, text=text)
        return answer["rows"] if isinstance(answer, dict) else answer

    def fault(self, **fault: Any) -> None:
        self._before = self._happened()
        self.erp("POST", "/faults", **fault)

    def struck(self, kind: str) -> int:
        """How often this kind of fault has happened since one was last ordered."""
        return self._happened().get(kind, 0) - self._before.get(kind, 0)

    def _happened(self) -> dict[str, int]:
        return self.erp("GET", "/stats")["faults_happened"]

    def release(self) -> None:
        """Answers that are held back go on; what has not happened yet still will."""
        self.erp("POST", "/faults/release")

    def mend(self) -> None:
        self.erp("DELETE", "/faults")

    def ledger_in_the_erp(self, company: str = COMPANY) -> tuple[int, Decimal]:
        rows = self.sql("SELECT count(*), sum(abs(AcAm)) FROM {AcTr}", company)
        return int(rows[0][0]), Decimal(rows[0][1])

    def ledger_here(self, company: str = COMPANY) -> tuple[int, Decimal]:
        rows = self.rows("gl_transactions", company_key=company, columns="amount")
        return len(rows), sum((abs(Decimal(row["amount"])) for row in rows), Decimal(0))
