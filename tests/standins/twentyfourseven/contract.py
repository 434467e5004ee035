"""A WSGI middleware that holds every call and every answer against 24SevenOffice's published OpenAPI and WSDLs."""

import io
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from lxml import etree
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from local.erps.twentyfourseven.http import HOSTS

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "24sevenoffice"
MISSING = f"the published contracts are not in {CONTRACTS.parent.parent.name}/contracts beside the project"
WSDLS = ("auth", "account", "attachment", "client", "company", "invoice", "product", "transaction")
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSD = "{http://www.w3.org/2001/XMLSchema}"
ROOT = "urn:published"
EMPTY_LISTS = ("Transactions", "TransactionTypes", "Currencies")
"""The description says of these lists that they hold at least one item; none was found is answered as an empty list."""


def available() -> bool:
    """Whether the published contracts are at hand."""
    return (CONTRACTS / "rest.yaml").is_file()


class Contract:
    """Wraps an app; what breaks the published contracts is gathered in `violations`, what was looked at in `checked`.

    With `calls=False` only the answers are looked at: for callers that ask wrongly on purpose.
    """

    def __init__(self, app: Any, *, calls: bool = True) -> None:
        self.app = app
        self._calls = calls
        self.violations: list[str] = []
        self.checked: Counter[str] = Counter()
        self._rest, self._soap = _rest(), _soap()
        self._onward: set[str] = set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        mount, path = _place(environ)
        begun: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            begun[:] = [int(status.split(" ")[0]), {k.lower(): v for k, v in headers}]
            return start_response(status, headers)

        check = self._checker(mount, path, environ, body)
        answer = b"".join(self.app(environ, start))
        status, headers = begun
        # An answer that breaks off half-way says nothing about the one who began it.
        if check is not None and int(headers.get("content-length", len(answer))) == len(answer):
            check(status, headers, answer)
        return [answer]

    def _say(self, what: str, problems: Iterable[str]) -> None:
        if self._calls or " answered" in what:
            self.violations += [f"{what}: {problem}" for problem in problems]

    def _checker(self, mount: str, path: str, environ: dict[str, Any], body: bytes) -> Any:
        if mount == "rest" and path.startswith("/v1/"):
            return self._check_rest(path.removeprefix("/v1"), environ, body)
        if mount in ("api", "webservices"):
            return self._check_soap(f"/{path.lstrip('/')}".lower(), environ, body)
        return None

    def _check_rest(self, path: str, environ: dict[str, Any], body: bytes) -> Any:
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        found = self._rest.find(method, path)
        if found is None:
            self._say(f"{method} {path}", ["there is no such call"])
            return None
        template, parameters = found
        what = f"{method} {template}"
        self.checked[f"{what} asked"] += 1
        self._say(
            f"{what} asked", self._rest.request(what, environ, parameters, body, f"{path}?{query}" in self._onward)
        )

        def answered(status: int, headers: Mapping[str, str], answer: bytes) -> None:
            self.checked[f"{what} answered"] += 1
            self._onward |= {
                url.partition("/v1")[2] for url in re.findall(r"<([^>]+)>", headers.get("link", ""))
            }  # fmt: skip
            self._say(f"{what} answered {status}", self._rest.response(what, status, headers, answer))

        return answered

    def _check_soap(self, path: str, environ: dict[str, Any], body: bytes) -> Any:
        action = environ.get("HTTP_SOAPACTION", "").strip('"')
        service = self._soap.get(path)
        if service is None or action not in service.actions:
            self._say(f"SOAP {path}", [f"there is no service or action {action!r} there"])
            return None
        what = f"SOAP {action.rsplit('/', 1)[-1]}"
        self.checked[f"{what} asked"] += 1
        self._say(f"{what} asked", service.problems(body))
        if not environ.get("CONTENT_TYPE", "").startswith("text/xml"):
            self._say(f"{what} asked", ["the content type is not text/xml"])

        def answered(status: int, _headers: Mapping[str, str], answer: bytes) -> None:
            self.checked[f"{what} answered"] += 1
            self._say(f"{what} answered", service.problems(answer, fault_allowed=status == 500))

        return answered


def _place(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Which of the vendor's hosts is meant, by name or by mount, and the path there."""
    path = str(environ["PATH_INFO"])
    mount = HOSTS.get(str(environ.get("HTTP_HOST", "")).split(":")[0], "").strip("/")
    if mount:
        return mount, path
    first, _, rest = path.lstrip("/").partition("/")
    return first, "/" + rest


# --- REST ------------------------------------------------------------------------------------------------------------


class _Rest:
    """The published OpenAPI."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = _modern(spec)
        for name in EMPTY_LISTS:
            self.spec["components"]["schemas"][name].pop("minItems", None)
        # An order line with its id is described as a closed shape without one plus the id, which nothing can satisfy;
        # fields that are not in the description are found all the same, below.
        self.spec["components"]["schemas"]["LineWithoutId"].pop("additionalProperties", None)
        self.registry: Any = Registry().with_resource(ROOT, Resource(self.spec, DRAFT202012))
        patterns = {t: re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", t) + "$") for t in self.spec["paths"]}
        self.patterns = sorted(patterns.items(), key=lambda item: item[0].count("{"))
        self.formats = FormatChecker(())
        self.formats.checks("date", ValueError)(lambda v: not isinstance(v, str) or bool(date.fromisoformat(v)))
        self.formats.checks("date-time", ValueError)(
            lambda v: not isinstance(v, str) or ("T" in v and bool(datetime.fromisoformat(v)))
        )
        self.formats.checks("uri")(lambda v: not isinstance(v, str) or "://" in v)

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        for template, pattern in self.patterns:
            found = pattern.match(path)
            if found and method.lower() in self.spec["paths"][template]:
                return template, found.groupdict()
        return None

    def _errors(self, pointer: str, value: Any) -> Iterator[str]:
        schema = {"$ref": f"{ROOT}#{pointer}"}
        validator = Draft202012Validator(schema, registry=self.registry, format_checker=self.formats)
        for error in validator.iter_errors(value):
            yield f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:300]}"
        yield from self._undeclared(self._resolve(schema), value, "body")

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            target: Any = self.spec
            for part in schema["$ref"].partition("#")[2].strip("/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema

    def _parts(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        schema = self._resolve(schema)
        yield schema
        for word in ("allOf", "oneOf", "anyOf"):
            for part in schema.get(word, ()):
                yield from self._parts(part)

    def _undeclared(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        """Fields that the description does not know: most likely a slip, which the vendor would pass over silently."""
        parts = list(self._parts(schema))
        if isinstance(value, list):
            items = next((p["items"] for p in parts if "items" in p), None)
            for n, item in enumerate(value if items else []):
                yield from self._undeclared(items, item, f"{at}/{n}")
        if isinstance(value, dict):
            declared = {name: sub for part in parts for name, sub in part.get("properties", {}).items()}
            for name, item in value.items() if declared else ():
                if name not in declared:
                    yield f"{at}/{name} is not in the description"
                else:
                    yield from self._undeclared(declared[name], item, f"{at}/{name}")

    def request(
        self, what: str, environ: Mapping[str, Any], path: Mapping[str, str], body: bytes, followed: bool
    ) -> Iterator[str]:  # fmt: skip
        method, _, template = what.partition(" ")
        operation = self.spec["paths"][template][method.lower()]
        shared = self.spec["paths"][template].get("parameters", [])
        declared = [self._resolve(p) for p in [*shared, *operation.get("parameters", [])]]
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
            yield "Authorization is missing"
        for parameter in declared:
            given = {"query": query, "path": path}.get(parameter["in"])
            if given is None:
                continue
            name = parameter["name"]
            if name in given:
                yield from self._parameter(name, self._resolve(parameter["schema"]), given[name])
            elif parameter.get("required"):
                yield f"the parameter {name} is missing"
        known = {p["name"] for p in declared if p["in"] == "query"}
        yield from (
            f"the parameter {name} is not in the description" for name in query if name not in known and not followed
        )
        yield from self._body(f"/paths/{_escaped(template)}/{method.lower()}", operation, environ, body)

    def _body(self, at: str, operation: dict[str, Any], environ: Mapping[str, Any], body: bytes) -> Iterator[str]:
        described = operation.get("requestBody")
        if described is None:
            if body:
                yield "there is a body, and none is described"
            return
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0]
        if kind not in described["content"]:
            yield f"the body's type {kind!r} is not in the description"
        elif kind == "application/json":
            yield from self._errors(f"{at}/requestBody/content/application~1json/schema", json.loads(body))

    def _parameter(self, name: str, schema: dict[str, Any], text: str) -> Iterator[str]:
        kind = schema.get("type")
        value: Any = text
        try:
            if kind in ("integer", "number"):
                value = int(text)
            elif kind == "boolean":
                value = {"true": True, "false": False}[text]
        except (ValueError, KeyError):
            yield f"the parameter {name}={text!r} is no {kind}"
            return
        validator = Draft202012Validator(schema, registry=self.registry, format_checker=self.formats)
        yield from (f"the parameter {name}: {error.message}" for error in validator.iter_errors(value))

    def response(self, what: str, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        method, _, template = what.partition(" ")
        responses = self.spec["paths"][template][method.lower()]["responses"]
        if "x-trace-id" not in headers:
            yield "X-Trace-Id is missing"
        described = responses.get(str(status))
        if described is None and status < 400:
            yield "the status is not in the description"
            return
        content = (described or {}).get("content", {}).get("application/json")
        # A 400 is said to be one of two shapes that do not exclude each other: looked at by hand below.
        if content is not None and status < 400:
            at = f"/paths/{_escaped(template)}/{method.lower()}/responses/{status}/content/application~1json/schema"
            yield from self._errors(at, json.loads(body))
        if status >= 400:
            error = json.loads(body)
            if not {"name", "message"} & set(error.get("error", {})) or "trackingId" not in error:
                yield f"the error has another shape: {error}"
        elif content is None and body:
            yield "there is a body, and none is described"


def _escaped(template: str) -> str:
    return template.replace("~", "~0").replace("/", "~1")


def _modern(schema: Any) -> Any:
    """OpenAPI 3.0's own dialect as JSON Schema: what may be null, and limits that are not included."""
    if isinstance(schema, list):
        return [_modern(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {str(key): _modern(value) for key, value in schema.items()}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if made.get("exclusiveMinimum") is True:
        made["exclusiveMinimum"] = made.pop("minimum")
    if isinstance(made.get("multipleOf"), float):
        del made["multipleOf"]  # binary fractions would fail it by their rounding
    return made


# --- SOAP ------------------------------------------------------------------------------------------------------------


class _Soap:
    """One published WSDL: its address, its actions and the schema of its messages."""

    def __init__(self, wsdl: Path) -> None:
        root = etree.parse(str(wsdl)).getroot()
        address = next(e for e in root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address"))
        self.path = "/" + str(address.get("location")).split("/", 3)[3].lower()
        self.actions = {e.get("soapAction") for e in root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}operation")}
        schemas = {str(s.get("targetNamespace")): s for s in root.iter(f"{XSD}schema")}
        self.namespace = next(iter(schemas))
        with tempfile.TemporaryDirectory() as folder:
            places = {namespace: Path(folder, f"{n}.xsd") for n, namespace in enumerate(schemas)}
            for namespace, schema in schemas.items():
                for other in schema.iter(f"{XSD}import"):
                    other.set("schemaLocation", str(places[str(other.get("namespace"))]))
                places[namespace].write_bytes(etree.tostring(schema))
            self.schema = etree.XMLSchema(etree.parse(str(places[self.namespace])))

    def problems(self, body: bytes, *, fault_allowed: bool = False) -> Iterator[str]:
        try:
            root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
        except etree.XMLSyntaxError as error:
            yield f"this is no XML: {error}"
            return
        holder = root.find(f"{{{SOAP}}}Body")
        if root.tag != f"{{{SOAP}}}Envelope" or holder is None or len(holder) != 1:
            yield "this is no SOAP 1.1 envelope with one element in its body"
            return
        content = holder[0]
        if content.tag == f"{{{SOAP}}}Fault":
            if not fault_allowed or content.find("faultcode") is None or content.find("faultstring") is None:
                yield "a fault with faultcode and faultstring comes with status 500 only"
            return
        alone = etree.fromstring(etree.tostring(content), etree.XMLParser(huge_tree=True))
        if not self.schema.validate(alone):
            yield from (f"line {e.line}: {e.message}" for e in self.schema.error_log)


@cache
def _rest() -> _Rest:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _Rest(yaml.load((CONTRACTS / "rest.yaml").read_text(encoding="utf-8"), Loader=loader))


@cache
def _soap() -> dict[str, _Soap]:
    services = [_Soap(CONTRACTS / f"{name}Service.wsdl") for name in WSDLS]
    return {service.path: service for service in services}
