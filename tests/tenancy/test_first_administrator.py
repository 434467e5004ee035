"""The first administrator of the platform, made by the deployment: CloudFormation always gets an answer."""

import http.server
import json
import threading
from types import SimpleNamespace
from typing import ClassVar

import pytest

from erphub import app
from erphub.platform.errors import HubError
from erphub.tenancy.access import Authorizer
from tests.support.hub import event, handler_module
from tests.support.integration import integration


class Answers(http.server.BaseHTTPRequestHandler):
    """CloudFormation's address: keeps what is put there."""

    kept: ClassVar[list[dict]] = []

    def do_PUT(self):
        self.kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format, *args):
        pass


@pytest.fixture
@integration
def cloudformation():
    Answers.kept = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/answer"
    server.shutdown()
    thread.join()
    server.server_close()


def deploy(address, **changes):
    handler_module("first_admin").handler(
        {**event("first_admin"), "ResponseURL": address, **changes}, SimpleNamespace()
    )
    return Answers.kept[-1]


def test_the_first_administrator_is_made_once_however_often_the_hub_is_deployed(hub, cloudformation):
    first = deploy(cloudformation)
    again = deploy(cloudformation, RequestType="Update")
    assert (first["Status"], again["Status"]) == ("SUCCESS", "SUCCESS")
    assert first["Data"] == again["Data"]
    assert first["PhysicalResourceId"] == again["PhysicalResourceId"] == "first.admin@example.test"
    user = first["Data"]["User"]
    assert app.services().get(Authorizer).platform_administrators.contains(user)
    made = hub.call("POST", "/customers", {"name": "Made AS", "administrator": user}, user=user)
    assert made.status == 201


def with_address(address):
    return {"ResourceProperties": {**event("first_admin")["ResourceProperties"], "Email": address}}


def test_another_administrators_address_takes_the_place_of_the_one_before(hub, cloudformation):
    old = deploy(cloudformation)
    new = deploy(cloudformation, RequestType="Update", **with_address("second@example.test"))
    assert new["PhysicalResourceId"] != old["PhysicalResourceId"], "so CloudFormation has the old one deleted"
    gone = {"RequestType": "Delete", "PhysicalResourceId": old["PhysicalResourceId"]}
    for _ in range(2):
        answer = deploy(cloudformation, **gone)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    administrators = app.services().get(Authorizer).platform_administrators
    assert administrators.contains(new["Data"]["User"])
    assert not administrators.contains(old["Data"]["User"])


def test_deleting_the_hub_removes_no_user(hub, cloudformation):
    made = deploy(cloudformation)["Data"]["User"]
    assert deploy(cloudformation, RequestType="Delete")["Status"] == "SUCCESS"
    assert hub.users.find(made) is not None
    unknown = deploy(cloudformation, RequestType="Delete", **with_address("never.was@example.test"))
    assert unknown["Status"] == "SUCCESS"
    assert hub.users.find("never.was@example.test") is None


def test_a_deployment_hears_why_there_is_no_administrator(hub, cloudformation, monkeypatch):
    def fails(_):
        raise HubError("The pool is full.")

    monkeypatch.setattr(hub.users, "find", fails)
    answer = deploy(cloudformation)
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "The pool is full. See the function's log.")
