"""Commands over HTTP: POST with an `Idempotency-Key`, answered by their position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Header, Response

from infra.answers import NotFoundError
from infra.attempt import Refused, Told, Unchanged
from infra.commands import FORMS
from infra.http import problems
from infra.http.schemas import TOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.http.served import Served


def commands(served: Served) -> APIRouter:
    """Return a route for each command."""
    router = APIRouter(prefix="/commands", tags=["commands"])
    for name, form in FORMS.items():
        columns = form.model.model_json_schema()
        router.add_api_route(
            f"/{name}",
            _command(served, name),
            methods=["POST"],
            status_code=201,
            name=name,
            summary=columns["description"],
            responses=TOLD,
            openapi_extra={"requestBody": {"content": {"application/json": {"schema": columns}}}},
        )

    @router.post("/{name}", include_in_schema=False)
    def unknown(name: str) -> None:
        message = f"there is no command {name!r}: {', '.join(FORMS)}"
        raise NotFoundError(message)

    return router


def _command(served: Served, name: str) -> Callable[..., dict[str, Any]]:
    def tell(
        fields: Annotated[dict[str, Any], Body(description="Named as the feeds' columns.")],
        response: Response,
        idempotency_key: Annotated[
            str | None, Header(description="Needed. Told again with it, the first result returns.")
        ] = None,
        actor: Annotated[str, Header(description="Who tells it.")] = "api",
    ) -> dict[str, Any]:
        if not idempotency_key:
            message = "send an Idempotency-Key: told again with it, the first result returns"
            raise problems.KeyMissingError(message)
        told = FORMS[name].command(fields)
        [outcome] = served.ledger.handle(
            [Told(told, actor, "api", idempotency_key, idempotency_key)]
        )
        if isinstance(outcome, Refused):
            raise outcome.error
        recorded = not isinstance(outcome, Unchanged)
        response.status_code = 201 if recorded else 200
        return {"command": name, "position": outcome.position, "recorded": recorded}

    return tell
