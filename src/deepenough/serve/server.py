"""The service on a socket: processes, encryption, signals.

Needs that this module answers:

* What can't be served is said before a socket is opened: a model that can't be verified, rules with a mistake.
* Several processes share one socket; one that dies is replaced, and all stop by one signal, after what they began.
* Threads within a prediction would only take the cores from one another where several processes answer.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepenough.errors import OptionError
from deepenough.serve import board, metrics, routes
from deepenough.serve.app import App
from deepenough.serve.router import Router
from deepenough.serve.served import Served
from deepenough.serve.settings import Settings, is_loopback

GRACE_SECONDS = 30
CONNECTIONS = 1000
"""Open at once in each process; more are told to come again."""
HEAD_BYTES = 16_384
MOST_FILES = 65_536
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "deepenough.serve": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


def run(settings: Settings) -> int:
    """Serve until a signal ends it; returns the exit code. Raises ModelError, OptionError before anything is opened."""
    _require_uvicorn()
    for name in _THREADS:
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // settings.workers)))
    app = build(settings)  # what is wrong with a model or the rules is said here
    _more_files()
    if settings.workers == 1:
        return _alone(settings, app)
    numbers = metrics.names(list(app.models), app.router.destinations if app.router else ())
    shared = board.made(len(numbers))
    del app
    try:
        return _several(dataclasses.replace(settings, board=shared))
    finally:
        Path(shared).unlink(missing_ok=True)


def build(settings: Settings) -> App:
    """The application of one process, its models loaded. Raises ModelError, OptionError."""
    models, router = models_and_router(settings.runs, settings.routes)
    return App(models, settings, router)


def models_and_router(runs: Sequence[tuple[str, str]], file: str) -> tuple[dict[str, Served], Router | None]:
    """The models, loaded, by name; and what does with answers what a file says. Raises ModelError, OptionError."""
    models = {name: Served.of(name, Path(folder)) for name, folder in runs}
    if not file:
        return models, None
    rules = routes.read(Path(file))
    for served in models.values():
        rules.check(served.current.model.codec)
    codecs = {name: functools.partial(_codec, served) for name, served in models.items()}
    return models, Router(rules, codecs)


def _codec(served: Served) -> Any:
    return served.current.model.codec


def _require_uvicorn() -> None:
    try:
        import uvicorn  # noqa: F401 - only whether it is there
    except ImportError:
        raise OptionError("Serving needs uvicorn: pip install 'deepenough[serve]'") from None


def _config(settings: Settings, app: Any, **more: Any) -> Any:
    from uvicorn import Config

    from deepenough.serve.protocol import PatientProtocol

    return Config(
        app,
        host=settings.host,
        port=settings.port,
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=LOGGING,
        access_log=False,
        proxy_headers=False,  # a caller's address is the one that it has, not the one that it says
        server_header=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=60,  # a process that loads a large model on a busy machine is not a dead one
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
        **more,
    )


def _alone(settings: Settings, app: App) -> int:
    from uvicorn import Server

    config = _config(settings, app)
    socket = _bound(config, settings)
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run(sockets=[socket])
    return 0


def _several(settings: Settings) -> int:
    from uvicorn.supervisors import Multiprocess

    config = _config(settings, functools.partial(build, settings), factory=True, workers=settings.workers)
    socket = _bound(config, settings)
    Multiprocess(config, sockets=[socket]).run()
    return 0


def _bound(config: Any, settings: Settings) -> Any:
    """The open socket. Raises OptionError where the address is taken, or can't be had."""
    import socket

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named asyncio sends what it has at once; without it each answer's second part waits 40 ms for
    # the client's acknowledgement.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((settings.host, settings.port))
        opened.listen(config.backlog)  # who comes before the processes have begun waits, and is not sent away
    except OSError as error:
        opened.close()
        raise OptionError(
            f"{settings.host}:{settings.port} can't be had: {error.strerror or error}. Name another --port or --host."
        ) from None
    opened.set_inheritable(True)
    scheme = "https" if settings.tls_cert else "http"
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    names = ", ".join(name for name, _ in settings.runs)
    print(f"Serving {names} at {scheme}://{shown}:{opened.getsockname()[1]}", file=sys.stderr, flush=True)
    if settings.keys and not settings.tls_cert and not is_loopback(settings.host):
        print(
            "Keys and rows go over the network in the clear: give --tls-cert and --tls-key, or let a proxy encrypt.",
            file=sys.stderr,
            flush=True,
        )
    return opened


def _more_files() -> None:
    """As many open connections as the system allows."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and most > soft:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
