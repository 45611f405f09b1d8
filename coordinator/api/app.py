"""The HTTP application: every route there is, in one table."""

from aiohttp import web

from coordinator.api import events, handlers
from coordinator.api.artifacts import serve_artifact
from coordinator.api.auth import TOKEN, check_token
from coordinator.api.middlewares import add_headers, authenticate, explain, identify
from coordinator.api.page import page_routes
from coordinator.api.render import API_ROOT
from coordinator.usecases.farm import Farm

# `auth.PUBLIC` lists those that need no credential.
ROUTES: tuple[tuple[str, str, handlers.Handler], ...] = (
    ("POST", "/jobs", handlers.submit_job),
    ("GET", "/jobs", handlers.list_jobs),
    ("GET", "/jobs/{job_id}", handlers.show_job),
    ("GET", "/jobs/{job_id}/why", handlers.explain_job),
    ("POST", "/jobs/{job_id}/cancel", handlers.cancel_job),
    ("POST", "/jobs/{job_id}/pause", handlers.pause_job),
    ("POST", "/jobs/{job_id}/resume", handlers.resume_job),
    ("GET", "/printers", handlers.list_printers),
    ("GET", "/printers/{printer_id}", handlers.show_printer),
    ("POST", "/printers/{printer_id}/clear", handlers.clear_printer),
    ("POST", "/printers/{printer_id}/clearing", handlers.claim_bed),
    ("DELETE", "/printers/{printer_id}/clearing", handlers.abandon_bed),
    ("POST", "/printers/{printer_id}/service", handlers.set_service),
    ("POST", "/printers/{printer_id}/commands", handlers.command_printer),
    ("GET", "/runs/{run_id}", handlers.show_run),
    ("POST", "/runs/{run_id}/settle", handlers.settle_run),
    ("GET", "/events", events.list_events),
    ("GET", "/events/verify", events.verify_events),
    ("GET", "/events/archive", events.archive_events),
    ("POST", "/events/seal", events.seal_events),
    ("GET", "/artifacts/{sha256}", serve_artifact),
    ("HEAD", "/artifacts/{sha256}", serve_artifact),
    ("GET", "/health", handlers.show_health),
    ("HEAD", "/health", handlers.show_health),
)


def build_app(farm: Farm, *, token: str, upload_bytes_max: int, version: str) -> web.Application:
    """Return the application, ready to be served.

    Args:
        farm: what the use cases work with.
        token: the credential that every route wants but the public ones.
        upload_bytes_max: the longest file that is taken.
        version: of this program, as health tells it.

    Raises:
        SettingsInvalid: the token protects nothing.
    """
    check_token(token)
    # From the outside in: an id first, so that even a refusal has one.
    app = web.Application(middlewares=[identify, explain, authenticate])
    app[handlers.FARM] = farm
    app[handlers.UPLOAD_BYTES_MAX] = upload_bytes_max
    app[handlers.VERSION] = version
    app[TOKEN] = token
    for method, path, handler in ROUTES:
        app.router.add_route(method, API_ROOT + path, handler)
    app.router.add_routes(page_routes())
    app.on_response_prepare.append(add_headers)
    return app
