"""Nuclio's dashboard REST, as much of it as nuclio-jupyter, MLRun's server and MLRun's client call.

Written against what Nuclio 1.14 answers: 202 with an empty body, 409 for a duplicate, 412 while building, 204 for a
deletion (of an unknown function too), errors as {"error": text}.
"""

import asyncio
import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from leeway.errors import PlatformError

from .function import Function
from .function_spec import PROJECT_LABEL, check_name
from .functions import Functions
from .home import Home, read_json, write_json

_WAIT = "x-nuclio-wait-function-action"
_FORCE = "x-nuclio-delete-function-ignore-state-validation"
_STRATEGY = "x-nuclio-delete-project-strategy"
_PROJECT = "x-nuclio-project-name"
_INVOKE_S = 300


class Dashboard:
    """`application` is the ASGI application (without the guard)."""

    def __init__(self, home: Home, functions: Functions, about: Mapping[str, Any]):
        self._home, self._functions, self._about = home, functions, dict(about)
        routes = [
            ("/api/functions", self.list_functions, ["GET"]),
            ("/api/functions", self.create_function, ["POST"]),
            ("/api/functions", self.delete_function, ["DELETE"]),
            ("/api/functions/{name}", self.get_function, ["GET"]),
            ("/api/functions/{name}", self.update_function, ["PUT"]),
            ("/api/functions/{name}", self.patch_function, ["PATCH"]),
            ("/api/functions/{name}/replicas", self.replicas, ["GET"]),
            ("/api/functions/{name}/logs/{replica}", self.logs, ["GET"]),
            ("/api/function_invocations", self.invoke, ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
            ("/api/projects", self.list_projects, ["GET"]),
            ("/api/projects", self.create_project, ["POST"]),
            ("/api/projects", self.update_project, ["PUT"]),
            ("/api/projects", self.delete_project, ["DELETE"]),
            ("/api/projects/{name}", self.get_project, ["GET"]),
            ("/api/projects/{name}", self.update_project, ["PUT"]),
            ("/api/external_ip_addresses", self.addresses, ["GET"]),
            ("/api/versions", self.versions, ["GET"]),
            ("/metrics", self.metrics, ["GET"]),
            ("/api/api_gateways", self.api_gateways, ["GET", "POST"]),
        ]
        self.application = Starlette(
            routes=[Route(path, endpoint, methods=methods) for path, endpoint, methods in routes],
            exception_handlers={PlatformError: _bad_request, json.JSONDecodeError: _bad_request},
        )

    async def list_functions(self, request: Request) -> Response:
        project = request.headers.get(_PROJECT, "*")
        return JSONResponse(
            {
                name: shown(function)
                for name, function in self._functions.items()
                if project in ("", "*", _project_of(function.document))
            }
        )

    async def create_function(self, request: Request) -> Response:
        document = await _document(request)
        name = check_name(document["metadata"].get("name"))
        if name in self._functions:
            return _error(409, f"Cannot create function {name!r}: it exists; PUT /api/functions/{name} changes it")
        _check_code(document)
        return await self._deploy(request, document)

    async def update_function(self, request: Request) -> Response:
        """A function that is not there is made, as Nuclio does."""
        name = request.path_params["name"]
        if (function := self._functions.get(name)) is not None and function.state == "building":
            return _building(name)
        document = await _document(request)
        if document["metadata"].setdefault("name", name) != name:
            return _error(400, f"metadata.name is {document['metadata']['name']!r}, the path says {name!r}")
        _check_code(document)
        return await self._deploy(request, document)

    async def _deploy(self, request: Request, document: dict[str, Any]) -> Response:
        if request.headers.get(_PROJECT):
            document["metadata"].setdefault("labels", {}).setdefault(PROJECT_LABEL, request.headers[_PROJECT])
        document.pop("status", None)
        return await _accepted(request, self._functions.deploy(document))

    async def patch_function(self, request: Request) -> Response:
        if (function := self._functions.get(request.path_params["name"])) is None:
            return _not_found()
        if function.state == "building":
            return _building(function.name)
        wanted = (await _json(request)).get("desiredState")
        if wanted == "ready":
            return await _accepted(request, self._functions.deploy(function.document))
        if wanted == "scaledToZero":
            return await _accepted(request, asyncio.create_task(function.scale_to_zero()))
        return _error(400, f"desiredState is {wanted!r}; it can be 'ready' or 'scaledToZero'")

    async def delete_function(self, request: Request) -> Response:
        name = check_name(((await _json(request)).get("metadata") or {}).get("name"))
        if (function := self._functions.get(name)) is not None:
            if function.state == "building" and request.headers.get(_FORCE) != "true":
                return _error(412, f"Function {name!r} is being built; the header {_FORCE}: true deletes it anyway")
            await self._functions.delete(name)
        return Response(status_code=204)

    async def get_function(self, request: Request) -> Response:
        function = self._functions.get(request.path_params["name"])
        if function is None:
            return _not_found()
        if request.query_params.get("export") == "true":
            return JSONResponse(_exported(function.document))
        return JSONResponse(shown(function))

    async def replicas(self, request: Request) -> Response:
        function = self._functions.get(request.path_params["name"])
        return _not_found() if function is None else JSONResponse({"names": list(function.logs)})

    async def logs(self, request: Request) -> Response:
        function = self._functions.get(request.path_params["name"])
        path = function.logs.get(request.path_params["replica"]) if function is not None else None
        if path is None:
            return _not_found()
        return PlainTextResponse(await asyncio.to_thread(_tail, path))

    async def invoke(self, request: Request) -> Response:
        """Pass a request on to a function, named by headers."""
        function = self._functions.get(request.headers.get("x-nuclio-function-name", ""))
        if function is None:
            return _not_found()
        known = function.status["internalInvocationUrls"]
        address = request.headers.get("x-nuclio-invoke-url") or next(iter(known), "")
        if address not in known:
            return _error(400, f"{address!r} is not an address of function {function.name!r}")
        path = "/" + request.headers.get("x-nuclio-path", "").lstrip("/")
        return await asyncio.to_thread(_pass_on, address, path, request, await request.body())

    async def list_projects(self, request: Request) -> Response:
        projects = read_json(self._home.projects, {})
        return JSONResponse({name: _project(project) for name, project in projects.items()})

    async def create_project(self, request: Request) -> Response:
        project, projects = await _document(request), read_json(self._home.projects, {})
        name = check_name(project["metadata"].get("name"))
        if name in projects:
            return _error(409, f"Cannot create project {name!r}: it exists")
        write_json(self._home.projects, {**projects, name: project})
        return JSONResponse(_project(project), 201)

    async def get_project(self, request: Request) -> Response:
        project = read_json(self._home.projects, {}).get(request.path_params["name"])
        return _error(404, "Project not found") if project is None else JSONResponse(_project(project))

    async def update_project(self, request: Request) -> Response:
        """The body names it where the path does not: MLRun's server asks so."""
        project = await _document(request)
        name = request.path_params.get("name") or project["metadata"].get("name")
        projects = read_json(self._home.projects, {})
        if name not in projects:
            return _error(404, "Project not found")
        write_json(self._home.projects, {**projects, name: project})
        return Response(status_code=204)

    async def delete_project(self, request: Request) -> Response:
        name = check_name(((await _json(request)).get("metadata") or {}).get("name"))
        deployed = [key for key, function in self._functions.items() if _project_of(function.document) == name]
        strategy = request.headers.get(_STRATEGY, "restricted")
        if deployed and strategy != "cascading":
            return _error(412, f"Project {name!r} has functions: {', '.join(deployed)}; delete them first")
        if strategy == "check":
            return Response(status_code=204)
        await asyncio.gather(*(self._functions.delete(each) for each in deployed))
        projects = read_json(self._home.projects, {})
        projects.pop(name, None)
        write_json(self._home.projects, projects)
        return Response(status_code=204)

    async def addresses(self, request: Request) -> Response:
        return JSONResponse({"externalIPAddresses": {"addresses": ["127.0.0.1"]}})

    async def versions(self, request: Request) -> Response:
        return JSONResponse({"dashboard": self._about})

    async def metrics(self, request: Request) -> Response:
        from .platform_metrics import platform_metrics

        found = platform_metrics({name: function.status for name, function in self._functions.items()})
        return Response(found, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def api_gateways(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({})
        return _error(400, "API gateways need Kubernetes; on the laptop call the function's own address")


def shown(function: Function) -> dict[str, Any]:
    """A function as the dashboard shows it."""
    return {**function.document, "status": function.status}


def _exported(document: Mapping[str, Any]) -> dict[str, Any]:
    skip = {"skip-build": "true", "skip-deploy": "true"}
    annotations = {**(document["metadata"].get("annotations") or {}), **{f"nuclio.io/{key}": skip[key] for key in skip}}
    return {**document, "metadata": {**document["metadata"], "annotations": annotations}}


def _project(project: Mapping[str, Any]) -> dict[str, Any]:
    """As the dashboard shows it: with each of its parts, empty or not."""
    return {"spec": {}, "status": {}, **project}


def _project_of(document: Mapping[str, Any]) -> str:
    return ((document.get("metadata") or {}).get("labels") or {}).get(PROJECT_LABEL, "default")


def _tail(path: Path, of_bytes: int = 1_000_000) -> str:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - of_bytes))
        return file.read().decode(errors="replace")


def _pass_on(address: str, path: str, request: Request, body: bytes) -> Response:
    own = ("host", "content-length", "connection", "x-nuclio-path", "x-nuclio-function-name", "x-nuclio-invoke-url")
    headers = {name: value for name, value in request.headers.items() if name not in own}
    connection = http.client.HTTPConnection(address, timeout=_INVOKE_S)
    try:
        connection.request(request.method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except OSError as exc:
        return _error(502, f"{address} does not answer: {exc}")
    finally:
        connection.close()
    dropped = ("content-length", "transfer-encoding", "connection", "server", "date")
    kept = {name: value for name, value in answer.getheaders() if name.lower() not in dropped}
    return Response(content, answer.status, kept)


async def _accepted(request: Request, task: asyncio.Task) -> Response:
    if request.headers.get(_WAIT) == "true":
        await asyncio.shield(task)
    else:
        await asyncio.sleep(0)  # the state is stored as building before the answer leaves
    return Response(status_code=202)


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    value = json.loads(body) if body else {}
    if not isinstance(value, dict):
        raise PlatformError(f"the body is a JSON {type(value).__name__}; send an object")
    return value


async def _document(request: Request) -> dict[str, Any]:
    document = await _json(request)
    if not isinstance(document.get("metadata"), dict):
        raise PlatformError("the document has no metadata; send {'metadata': {'name': ...}, 'spec': {...}}")
    return document


def _check_code(document: Mapping[str, Any]) -> None:
    spec = document.get("spec") or {}
    build = spec.get("build") or {}
    if not (build.get("functionSourceCode") or build.get("path") or spec.get("image")):
        raise PlatformError("the function has no code; give spec.build.functionSourceCode or spec.build.path")


async def _bad_request(request: Request, exc: Exception) -> Response:
    return _error(400, str(exc))


def _building(name: str) -> Response:
    return _error(412, f"Function {name!r} is being built; wait until its state is not 'building'")


def _not_found() -> Response:
    return _error(404, "Function not found")


def _error(status: int, text: str) -> Response:
    return JSONResponse({"error": text, "errorStackTrace": text}, status)
