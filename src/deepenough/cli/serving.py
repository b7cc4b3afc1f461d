"""The commands that put a winner to work: `serve` and `watch`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from deepenough.cli.parsing import add_command


def add(commands: Any) -> None:
    """Add this group's commands."""
    serve = add_command(commands, "serve", "Answer over HTTP with the models that runs handed over.", _serve)
    serve.add_argument(
        "runs",
        metavar="RUN",
        nargs="+",
        help="folder of a run or of a saved model, or NAME=FOLDER; the first answers /predict",
    )
    serve.add_argument("--host", metavar="HOST", default="127.0.0.1", help="address to open (default: 127.0.0.1)")
    serve.add_argument("--port", metavar="PORT", type=int, default=8000, help="port to open (default: 8000)")
    serve.add_argument("--workers", metavar="N", type=int, default=1, help="processes that answer (default: 1)")
    serve.add_argument(
        "--key-file",
        metavar="FILE",
        type=Path,
        help="keys of callers, one a line; made with a new one if it isn't there. Or set DEEPENOUGH_KEY",
    )
    serve.add_argument("--tls-cert", metavar="FILE", default="", help="certificate in PEM: serve over https")
    serve.add_argument("--tls-key", metavar="FILE", default="", help="its private key in PEM")
    serve.add_argument("--max-body", metavar="SIZE", default="10MB", help="most bytes of a request (default: 10MB)")
    serve.add_argument(
        "--max-rows", metavar="N", type=int, default=10_000, help="most rows of a request (default: 10000)"
    )
    serve.add_argument(
        "--rate", metavar="RATE", default="1000/s", help="most requests of one caller, or off (default: 1000/s)"
    )
    serve.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=30.0, help="most time of one answer (default: 30)"
    )
    _add_routes(serve)
    serve.add_argument(
        "--write-dockerfile", metavar="DIR", type=Path, help="write what a container needs into DIR, and serve nothing"
    )
    watch = add_command(commands, "watch", "Answer files that land in a folder, into another folder.", _watch)
    watch.add_argument("run", metavar="RUN", help="folder of a run, or of a saved model")
    watch.add_argument("inbox", metavar="INBOX", type=Path, help="folder whose files are answered")
    watch.add_argument("outbox", metavar="OUTBOX", type=Path, help="folder that the answers are written into")
    watch.add_argument(
        "--form", metavar="FORM", default="csv", choices=("csv", "jsonl", "parquet"), help="of answers (default: csv)"
    )
    watch.add_argument(
        "--every", metavar="SECONDS", type=float, default=1.0, help="time between two looks (default: 1)"
    )
    watch.add_argument("--once", action="store_true", help="answer what lies there, and end")
    _add_routes(watch)


def _add_routes(command: Any) -> None:
    command.add_argument("--routes", metavar="FILE", default="", help="TOML file of rules: what is done with answers")


def _serve(options: argparse.Namespace, started: float) -> int:
    from deepenough.serve import settings

    runs = settings.named(options.runs)
    if options.write_dockerfile:
        from deepenough.serve import docker

        (name, folder), *more = runs
        if more:
            from deepenough.errors import OptionError

            raise OptionError("--write-dockerfile is for one RUN.")
        for path in docker.write(folder, name, options.write_dockerfile):
            print(path)
        return 0
    from deepenough.serve import server

    chosen = settings.Settings(
        runs,
        host=options.host,
        port=options.port,
        workers=options.workers,
        keys=settings.keys(options.key_file),
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        most_bytes=settings.size(options.max_body),
        most_rows=options.max_rows,
        a_second=settings.rate(options.rate),
        seconds=options.timeout,
        routes=options.routes,
    )
    return server.run(chosen)


def _watch(options: argparse.Namespace, started: float) -> int:
    from deepenough.errors import OptionError
    from deepenough.serve import server, settings
    from deepenough.serve.watch import Watch

    if not options.every > 0:
        raise OptionError(f"--every must be more than 0 seconds but got {options.every:g}.")
    models, router = server.models_and_router(settings.named([options.run]), options.routes)
    watch = Watch(next(iter(models.values())), options.inbox, options.outbox, f".{options.form}", router)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if options.once:
        watch.look()
        stopping.wait(options.every)
        watch.look()
        if watch.router:
            watch.router.send_due()
        return 0
    print(f"Watching {options.inbox}.", file=sys.stderr, flush=True)
    watch.run(options.every, stopping)
    return 0
