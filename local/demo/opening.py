"""How every scene of the demo begins: somebody signs in, and answers a wizard's steps one after the other."""

from typing import Any

from local import seed
from local.demo.hub import DemoFailed, Hub, until
from local.demo.screen import Screen
from local.emulator import Aws

type Json = dict[str, Any]


def sign_in(screen: Screen, described: Json, aws: Aws) -> Hub:
    """The first of the stack's users at the first client, told as a chapter. Raises DemoFailed."""
    user, client = described["users"][0], described["clients"][0]
    screen.chapter("Sign in")
    token = seed.sign_in(aws, described["outputs"]["UserPoolClientId"], user["name"], user["password"])
    hub = Hub(described["api_url"], token, client["id"])
    screen.request("GET /me")
    me = hub.get("/me")
    screen.say(f"{user['name']} signed in with a password and may work for")
    rows = [[one["name"], one["role"], f"{len(one['permissions'])} permissions"] for one in me["clients"]]
    screen.table(["client", "role", "which allows"], rows)
    screen.say(f"The demo works for {client['name']}.")
    return hub


def answer(screen: Screen, hub: Hub, wizard: str, step: str, fields: Json, shown: str) -> Json:
    """Answer a step of a wizard and wait until it waits again; returns the wizard. Raises DemoFailed."""
    screen.request(f"PUT …/steps/{step}  {shown}".rstrip())
    hub.put(f"./wizards/{wizard}/steps/{step}", fields)
    return until(lambda: hub.get(f"./wizards/{wizard}"), lambda seen: seen["status"] != "working", 180)


def require_step(seen: Json, step: str) -> None:
    """Raises DemoFailed unless the wizard waits at this step."""
    if seen["step"] != step:
        problem: Json = seen["problem"] or {}
        raise DemoFailed(f"The wizard is {seen['status']} at {seen['step']} rather than waiting at {step}. {problem}")
