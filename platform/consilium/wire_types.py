"""From the typed messages to JSON Schema and the browser's types: what ``make wire`` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from foundation.wire import browser, worker

HEADER = "// Written by `make wire` from foundation.wire.browser. Do not edit.\n"

_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def files(root: Path) -> dict[Path, str]:
    """Every generated file's path and content."""
    schemas: dict[str, TypeAdapter[Any]] = {
        f"browser-client.v{browser.VERSION}": browser.CLIENT_ADAPTER,
        f"browser-server.v{browser.VERSION}": browser.SERVER_ADAPTER,
        f"worker-server.v{worker.VERSION}": worker.WORKER_ADAPTER,
        f"server-worker.v{worker.VERSION}": worker.SERVER_ADAPTER,
    }
    written = {
        root / "docs" / "wire" / f"{name}.schema.json": _schema_text(adapter)
        for name, adapter in schemas.items()
    }
    written[root / "static" / "js" / "wire" / "messages.d.ts"] = _declarations()
    return written


def _schema_text(adapter: TypeAdapter[Any]) -> str:
    return json.dumps(adapter.json_schema(), indent=2, sort_keys=True) + "\n"


def _declarations() -> str:
    """TypeScript declarations of the messages between browser and server."""
    sent = browser.CLIENT_ADAPTER.json_schema()["$defs"]
    # What the server sends always holds every field: the serialised form, not the accepted one.
    received = browser.SERVER_ADAPTER.json_schema(mode="serialization")["$defs"]
    parts = [HEADER]
    for name, schema in sorted({**received, **sent}.items()):
        parts.append(_declaration(name, schema, all_present=name in received and name not in sent))
    clients = " | ".join(sorted(kind.__name__ for kind in browser.CLIENT_TYPES))
    servers = " | ".join(sorted(kind.__name__ for kind in browser.SERVER_TYPES))
    parts.append(f"export type ClientMessage = {clients};\n")
    parts.append(f"export type ServerMessage = {servers};\n")
    return "\n".join(parts)


def _declaration(name: str, schema: dict[str, Any], *, all_present: bool) -> str:
    comment = " ".join(schema.get("description", "").split())
    lead = f"/** {comment} */\n" if comment else ""
    if "enum" in schema:
        values = " | ".join(json.dumps(value) for value in schema["enum"])
        return f"{lead}export type {name} = {values};\n"
    required = set(schema.get("required", [])) | {"type"}
    lines = [
        f"  {field}{'' if all_present or field in required else '?'}: {_type(inner)};"
        for field, inner in schema.get("properties", {}).items()
    ]
    return f"{lead}export interface {name} {{\n" + "\n".join(lines) + "\n}\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"Array<{_type(schema['items'])}>"
    if schema.get("type") == "null":
        return "null"
    return _SCALARS[schema["type"]]
