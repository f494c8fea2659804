"""What every long-running process offers its operators: `/metrics`, `/healthz`, `/readyz`."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # What the process still waits for, in words; nothing when it is ready.
    WaitsFor = Callable[[], Sequence[str]]

STOP_TIMEOUT_SECONDS = 5.0
START_POLL_SECONDS = 0.01

log = structlog.get_logger()


def operations(registry: CollectorRegistry, waits_for: WaitsFor) -> APIRouter:
    """Return the three routes. `/readyz` says 503 and what is waited for until it is ready."""
    router = APIRouter(tags=["operations"])

    @router.get("/metrics", summary="Prometheus metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Can it do its work, and if not, what does it wait for?")
    def readyz() -> JSONResponse:
        waiting = list(waits_for())
        status = {"status": "waiting", "waits_for": waiting} if waiting else {"status": "ready"}
        return JSONResponse(status, status_code=503 if waiting else 200)

    return router


@contextmanager
def offered(app: FastAPI, host: str, port: int) -> Iterator[None]:
    """Serve an app from a thread for as long as the block runs; its log tells the address."""
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(START_POLL_SECONDS)
        if not server.started:
            message = f"cannot listen on {host}:{port}; is the port taken?"
            raise OSError(message)
        address = f"http://{host}:{server.servers[0].sockets[0].getsockname()[1]}"
        log.info("listening", address=address)
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_TIMEOUT_SECONDS)


def operations_app(registry: CollectorRegistry, waits_for: WaitsFor) -> FastAPI:
    """Return an app with the operators' routes alone, for relay and projector."""
    app = FastAPI(title="Guanxi Ledger: operations", docs_url=None, redoc_url=None)
    app.include_router(operations(registry, waits_for))
    return app
