"""The API: its operations by room, its description, its readable page."""

from typing import Any

from django.urls import include, path
from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema

from hagukumi import __version__

from . import activities, auth, deliveries, docs, privacy, problems, segments
from .types import PROBLEMS


class Described(NinjaAPI):
    """Says in its description that errors are problem details."""

    def get_openapi_schema(self, **where: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**where)
        for methods in schema["paths"].values():
            for operation in methods.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400 and "application/json" in response.get("content", {}):
                        response["content"] = {"application/problem+json": response["content"]["application/json"]}
        return schema


api = Described(
    title="Hagukumi API", version=__version__, docs_url=None, openapi_url="/openapi.json", urls_namespace="api-v1",
    description="Hagukumi の外部連携。トークンは「設定 > API」で発行します。",
)  # fmt: skip
problems.install(api)
api.add_router("/v1/leads", privacy.router, tags=["leads"])  # with those of leads
api.add_router("/v1/activities", activities.router, tags=["activities"])
api.add_router("/v1/segments", segments.router, tags=["segments"])
api.add_router("/v1/deliveries", deliveries.router, tags=["deliveries"])


class Me(Schema):
    """The token that asks: its name and what it may do."""

    token: str
    scopes: list[str]


@api.get("/v1/me", response={200: Me, **PROBLEMS}, tags=["me"], summary="このトークンの権限", **auth.guarded())
def me(request: Any) -> Me:
    return Me(token=request.auth.name, scopes=list(request.auth.scopes))


urlpatterns = [path("docs", docs.page(api), name="api_docs"), path("", include((api.urls[0], "api-v1")))]
