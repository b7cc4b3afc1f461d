"""What a service says of itself: OpenAPI 3.1, from the codecs of its models, with real rows as examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import deepenough
from deepenough.serve.served import Served
from deepenough.serve.settings import Settings

_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "status": {"type": "integer"},
                "message": {"type": "string"},
                "row": {"type": "integer"},
                "field": {"type": "string"},
                "expected": {"type": "string"},
                "got": {"type": "string"},
            },
            "required": ["status", "message"],
        }
    },
    "required": ["error"],
}
_SAID = {
    "400": "What came is no JSON.",
    "401": "The key is missing or wrong.",
    "404": "There is no such address or model.",
    "405": "The address takes another method.",
    "408": "The request did not arrive in time.",
    "413": "The request is too large.",
    "415": "The media type is not read.",
    "421": "The request is addressed to another machine.",
    "422": "Something doesn't fit: the field and what is expected are named.",
    "429": "Too many requests; Retry-After says when to come again.",
    "500": "A mistake of the service; it is logged.",
    "503": "The service is busy or stopping; Retry-After says when to come again.",
    "504": "The answer took too long.",
}


def document(models: Mapping[str, Served], settings: Settings) -> dict[str, Any]:
    """The whole document. The first model answers `/predict` too."""
    paths: dict[str, Any] = {}
    for place, (name, served) in enumerate(models.items()):
        operation = _predict(name, served, settings)
        paths[f"/models/{name}/predict"] = {"post": operation | {"operationId": f"predict_{name}"}}
        if not place:
            paths = {"/predict": {"post": operation | {"operationId": "predict"}}} | paths
    simple = {
        "/models": "The models that are served, with their versions.",
        "/openapi.json": "This document.",
        "/metrics": "What was counted, for Prometheus.",
        "/health": "Whether the process is alive.",
        "/ready": "Whether it can answer.",
    }
    paths |= {path: {"get": _get(path, about)} for path, about in simple.items()}
    secured: dict[str, Any] = {"security": [{"bearer": []}]} if settings.keys else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Models raced by Deepenough", "version": deepenough.__version__},
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        **secured,
    }


def _get(path: str, about: str) -> dict[str, Any]:
    media = "text/plain" if path == "/metrics" else "application/json"
    free: dict[str, Any] = {"security": []} if path in ("/health", "/ready") else {}
    good = {"description": about, "content": {media: {}}}
    return {"summary": about, "operationId": path.strip("/"), "responses": {"200": good, **_refusals()}} | free


def _predict(name: str, served: Served, settings: Settings) -> dict[str, Any]:
    codec = served.current.model.codec
    row, answer, example = codec.row_schema(), codec.answer_schema(), codec.example
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": settings.most_rows}
    answers = {"type": "array", "items": answer}
    takes: dict[str, Any] = rows if codec.together else {"anyOf": [row, rows]}
    gives: dict[str, Any] = answers if codec.together else {"anyOf": [answer, answers]}
    line = {"schema": rows if codec.together else row}
    given: dict[str, Any] = {"schema": takes} | ({"example": _listed(example)} if example else {})
    content = {"application/json": given, "application/x-ndjson": line}
    content |= {"application/octet-stream": {}} if codec.takes_files else {}
    about = served.current.model.about["task"].get("target")
    explain = {
        "name": "explain",
        "in": "query",
        "schema": {"type": "boolean", "default": False},
        "description": "With each answer, what it becomes when each column in turn takes its usual value.",
    }
    several: list[Any] = gives["anyOf"] if isinstance(gives.get("anyOf"), list) else [gives]
    told = {"schema": {"anyOf": [*several, _explained(answer)]} if codec.usual() else gives}
    headers: dict[str, Any] = {"X-Model-Version": {"schema": {"type": "string"}}}
    if codec.together:
        said = "Where series or rows got no answer, a list of sentences in JSON on which, and why."
        headers["X-Unanswered"] = {"description": said, "schema": {"type": "string"}}
    answered = {"application/json": told, "application/x-ndjson": {}}
    good = {"description": "The answers.", "headers": headers, "content": answered}
    return {
        "summary": f"Predict {about!r} with the model {name!r}." if about else f"Predict with the model {name!r}.",
        "parameters": [explain] if codec.usual() else [],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": good, **_refusals()},
    }


def _listed(example: Any) -> Any:
    return list(example) if isinstance(example, tuple) else example


def _explained(answer: Mapping[str, Any]) -> dict[str, Any]:
    one = {
        "type": "object",
        "properties": {"answer": answer, "explanation": {"type": "array", "items": {"type": "object"}}},
        "required": ["answer", "explanation"],
    }
    return {"anyOf": [one, {"type": "array", "items": one}]}


def _refusals() -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": about, "content": error} for status, about in _SAID.items()}
