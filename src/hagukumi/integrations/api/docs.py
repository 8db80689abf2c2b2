"""The API's readable page, drawn from its own description: no script, nothing from elsewhere."""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.accounts.rules import ROLES

SUMMARIES = (
    gettext_lazy("リードの一覧（新しい順）"),
    gettext_lazy("一人のリード"),
    gettext_lazy("一人についての全記録"),
    gettext_lazy("一人の消去"),
    gettext_lazy("メールアドレスで登録・更新"),
    gettext_lazy("行動履歴（新しい順）"),
    gettext_lazy("行動をまとめて送る（1回 1,000 件まで）"),
    gettext_lazy("セグメントの一覧"),
    gettext_lazy("セグメントに入っている人"),
    gettext_lazy("配信の一覧（新しい順）"),
    gettext_lazy("このトークンの権限"),
)
"""The operations' summaries, here so that the catalogue knows them (a test holds that none is missing)."""


def page(api: Any) -> Any:
    """The view that draws `api`. Any signed-in member of staff may read it."""

    def api_docs(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        schema = json.loads(json.dumps(api.get_openapi_schema(), default=str))
        base = settings.BASE_URL
        return render(request, "settings/api/docs.html", {"operations": _operations(schema), "base": base})

    api_docs.roles = ROLES  # type: ignore[attr-defined]
    return api_docs


def _operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            success = next((code for code in operation["responses"] if code.startswith("2")), "200")
            answer = operation["responses"][success].get("content", {}).get("application/json", {}).get("schema")
            found.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": _(operation["summary"]),
                    "description": operation.get("description", ""),
                    "scope": operation.get("x-scope", ""),
                    "parameters": [_parameter(one) for one in operation.get("parameters", [])],
                    "body": _fields(schema, body) if body else [],
                    "answer": _fields(schema, answer) if answer else [],
                    "statuses": list(operation["responses"]),
                }
            )
    return found


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "where": one["in"],
        "type": _type(one["schema"]),
        "required": one.get("required", False),
    }


def _fields(schema: dict[str, Any], node: dict[str, Any], depth: int = 0) -> list[dict[str, Any]]:
    """The fields of an object as rows of name, type, required and (one level of) fields inside."""
    node = _followed(schema, node)
    if node.get("type") == "array":
        return _fields(schema, node["items"], depth)
    rows = []
    for name, part in node.get("properties", {}).items():
        inner = _followed(schema, part.get("items", part))
        nested = _fields(schema, inner, depth + 1) if inner.get("properties") and depth < 2 else []
        rows.append({"name": name, "type": _type(part), "required": name in node.get("required", []), "fields": nested})
    return rows


def _followed(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return dict(schema["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]])
    return node


def _type(node: dict[str, Any]) -> str:
    if "$ref" in node:
        return "object"
    if "anyOf" in node:
        return " | ".join(_type(part) for part in node["anyOf"])
    if "enum" in node:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in node["enum"])
    words = [node.get("format") or node.get("type") or "any"]
    if node.get("type") == "array":
        words = [f"{_type(node.get('items', {}))}[]"]
    bounds = [f"{label}{node[key]}" for key, label in _BOUNDS if key in node and node[key] < 2**53]
    return " ".join([*words, *bounds])


_BOUNDS = (("minimum", "≥ "), ("maximum", "≤ "), ("minLength", "≥ "), ("maxLength", "≤ "), ("maxItems", "≤ "))
