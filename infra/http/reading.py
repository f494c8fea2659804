"""The route of a query: read once more where a connection to the database broke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import APIRoute

from consumers.event_store import StoreUnavailableError
from infra.databases import connection_broke

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from fastapi import Request, Response

    from infra.http.served import Served


def reading(served: Served) -> type[APIRoute]:
    """Return the class of routes that only read: after a restart the second reading is good."""

    class Reading(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def read(request: Request) -> Response:
                try:
                    return await answer(request)
                except StoreUnavailableError as error:
                    served.lost(error)
                    if not connection_broke(error):
                        raise
                return await answer(request)

            return read

    return Reading
