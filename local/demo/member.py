"""One person at work in the hub, as the demo tells it: answers wizards, starts imports, and is refused things."""

import json
from typing import Any, cast

import httpx

from local.demo.hub import DemoFailed, Hub, until

type Json = dict[str, Any]


class Member(Hub):
    """A signed-in user of one client who does more than look."""

    def accept_invitations(self) -> None:
        """Say yes wherever this person is invited to. Raises DemoFailed."""
        for invitation in self.get("/me")["invitations"]:
            self.post(f"/me/invitations/{invitation['id']}/accept", {})

    def change(self, path: str, body: Json) -> Json:
        """PATCH. Raises DemoFailed."""
        return self._call("PATCH", path, json=body)

    def remove(self, path: str, **query: str) -> Json:
        """DELETE; empty when the answer is. Raises DemoFailed."""
        answer = self._ask("DELETE", path, params=query)
        if not answer.is_success:
            raise DemoFailed(f"The hub answered DELETE {path} with {answer.status_code}: {answer.text[:300]}")
        return cast(Json, answer.json()) if answer.content else {}

    def refused(self, method: str, path: str, code: str, body: Json | None = None, **query: str) -> Json:
        """Ask for what must be refused; returns the problem. Raises DemoFailed when it is not refused with `code`."""
        answer = self._ask(method, path, json=body, params=query)
        problem = cast(Json, answer.json()) if "json" in answer.headers.get("content-type", "") else {}
        if answer.is_success or problem.get("code") != code:
            said = json.dumps(problem, ensure_ascii=False)[:300]
            raise DemoFailed(f"{method} {path} should have been refused as {code}: {answer.status_code} {said}")
        return problem

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        self.requests += 1
        address = self._client + path[1:] if path.startswith("./") else path
        try:
            return self._http.request(method, address, **more)
        except httpx.HTTPError as error:
            raise DemoFailed(f"The hub did not answer {method} {path}: {error}") from error

    # --- wizards -----------------------------------------------------------------------------------------------------

    def begin(self, body: Json, step: str) -> str:
        """Start a wizard and wait until it asks at `step`; returns its id. Raises DemoFailed."""
        wizard = str(self.post("./wizards", body)["id"])
        self._require(self.when_ready(wizard), step)
        return wizard

    def answer(self, wizard: str, step: str, answer: Json, then: str | None) -> Json:
        """Answer a step and wait until the wizard asks at `then` (None: until it is finished). Raises DemoFailed."""
        self.put(f"./wizards/{wizard}/steps/{step}", answer)
        seen = self.when_ready(wizard)
        self._require(seen, then)
        return seen

    def when_ready(self, wizard: str) -> Json:
        """The wizard as soon as it no longer works on an answer. Raises DemoFailed."""
        return until(lambda: self.get(f"./wizards/{wizard}"), lambda seen: seen["status"] != "working", 180)

    def _require(self, seen: Json, step: str | None) -> None:
        if (seen["status"] != "finished") if step is None else (seen["step"] != step or seen["problem"]):
            wanted = "finished" if step is None else f"waiting at {step}"
            raise DemoFailed(f"The wizard is {seen['status']} at {seen['step']}, not {wanted}: {seen['problem']}")

    # --- imports -----------------------------------------------------------------------------------------------------

    def job(self, connection: str, kind: str) -> str:
        """The id of the connection's import job with this kind of period. Raises DemoFailed."""

        def found() -> list[str]:
            listed = [job for page in self.pages("./import-jobs") for job in page]
            mine = [job for job in listed if job["connection_id"] == connection]
            return [job["id"] for job in mine if job["period"]["kind"] == kind]

        return until(found, bool, 120)[0]

    def ended(self, job: str, trigger: str) -> Json:
        """The job's newest run that began for this reason, as soon as it has ended. Raises DemoFailed."""

        def found() -> list[Json]:
            runs = self.get(f"./import-jobs/{job}/runs")["items"]
            return [run for run in runs if run["trigger"] == trigger and run["finished_at"]]

        return until(found, bool, 300)[0]

    def run(self, job: str) -> Json:
        """Start the job by hand and wait for the end of that run. Raises DemoFailed."""
        path = f"./import-jobs/{job}/runs"
        started = self.post(path, {})["id"]
        return until(lambda: self.get(f"{path}/{started}"), lambda run: bool(run["finished_at"]), 300)

    def quiet(self, connection: str) -> None:
        """Wait until no run of the connection is under way. Raises DemoFailed."""
        jobs = [job for page in self.pages("./import-jobs") for job in page if job["connection_id"] == connection]
        for job in jobs:
            path = f"./import-jobs/{job['id']}/runs"
            until(lambda path=path: self.get(path)["items"], lambda runs: all(run["finished_at"] for run in runs), 300)

    def stands(self, connection: str, status: str) -> Json:
        """The connection as soon as it has this status. Raises DemoFailed."""
        return until(lambda: self.get(f"./connections/{connection}"), lambda now: now["status"] == status, 120)
