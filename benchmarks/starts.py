"""Fresh processes of a function under AWS's client: until it has begun, its first page, later ones, and memory."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import events, queries, runtime, zips
from benchmarks.served import PRODUCT
from ecokart import local

LIST, CARDS = "/products/", 24
_MIXED = 200
# What the standard library is counted as, and what else is told apart.
_PACKAGES = ("django", "botocore", "pynamodb", "urllib3", "asgiref", "dateutil", "jmespath", "apig_wsgi", "boto3")
_OURS = ("ecokart", "shop", "inventory", "adminpanel")
_TIMED = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)", re.MULTILINE)
Functions = dict[str, runtime.Function]


def measure(*, full: bool) -> dict[str, Any]:
    rounds = 15 if full else 3
    _fill()
    with tempfile.TemporaryDirectory(prefix="bench-starts-") as name:
        folder, version = Path(name), zips.python()
        client = zips.client(folder / "client", version)
        made = {
            "empty": zips.empty(folder, version, client),
            "ours": zips.ours(folder, version, client),
            "zappa": zips.zappas(folder, version, client),
        }
        functions, log = {kind: function for kind, (function, _) in made.items()}, folder / "log.txt"
        return {
            "python": version,
            "rounds": rounds,
            "bytes": {kind: archive.stat().st_size for kind, (_, archive) in made.items()},
            "files": {kind: _count_files(function.folder) for kind, function in functions.items()},
            "starts": _starts(functions, rounds, log),
            "first": {kind: _first(functions["ours"], rounds, log, kind) for kind in _FIRST},
            "memory": _memory(functions["ours"], log),
            "imports": _imports(functions["ours"]),
        }


def _count_files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def _fill() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "manage.py", "seed_catalogue"]
    subprocess.run(command, cwd=local.ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)


def environment(**more: str) -> local.Environment:
    """What the function is told. No more than Lambda would, so nothing of this process leaks in."""
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    own = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "LIMITS": "0",
        "ALLOWED_HOSTS": f"{events.HOST},{events.STAGE_HOST}",
        "PATH": os.environ["PATH"],
        "NO_PROXY": local.HOST,
        "LANG": "C.UTF-8",
    }
    return aws | own | more


# Ours knows its static files by name only, as on Lambda.
OWN = {"STATIC_URL": "https://files.example/static/"}


def _starts(functions: Functions, rounds: int, log: Path) -> dict[str, dict[str, float]]:
    """Medians, in ms. The order changes from round to round; the first round warms the disk and does not count."""
    taken: dict[str, list[dict[str, float]]] = {kind: [] for kind in (*functions, "pass")}
    for number in range(rounds + 1):
        for kind in taken if number % 2 else reversed(taken):
            one = _start(functions[kind], kind, log) if kind in functions else _pass(functions["ours"].python)
            if number:
                taken[kind].append(one)
    return {kind: _medians(each) for kind, each in taken.items()}


def _medians(each: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in each) for name in each[0]}


def _start(function: runtime.Function, kind: str, log: Path) -> dict[str, float]:
    with runtime.started(function, environment(**(OWN if kind == "ours" else {})), log=log) as running:
        init = running.wait_for_init()
        first, answer = running.ask(events.event(LIST))
        if kind != "empty" and events.page_of(answer).count(b"/products/prod-") < CARDS:
            raise local.CannotRun(f"{kind}: the first page is none:\n{log.read_text(encoding='utf-8')[-3000:]}")
        warm = statistics.median(running.ask(events.event(LIST))[0] for _ in range(15))
    return {"init_ms": 1000 * init, "first_ms": 1000 * first, "total_ms": 1000 * (init + first), "warm_ms": 1000 * warm}


def _pass(python: str) -> dict[str, float]:
    began = time.perf_counter()
    subprocess.run([python, "-c", "pass"], check=True)
    took = 1000 * (time.perf_counter() - began)
    return {"init_ms": took, "first_ms": 0.0, "total_ms": took, "warm_ms": 0.0}


# The page that was made while the function began; the same at the stage's own address; one that nobody asked for yet.
_FIRST = {
    "made": events.event(LIST),
    "stage": events.event(LIST, host=events.STAGE_HOST),
    "product": events.event(f"/products/{PRODUCT}/"),
}


def _first(function: runtime.Function, rounds: int, log: Path, kind: str) -> dict[str, float]:
    """A first request after INIT and the same one warm, as the function writes it down: without AWS's client."""
    firsts, warm = [], []
    for _ in range(rounds):
        # A stage without a domain does not know its gateway's whole name.
        hosts = {"ALLOWED_HOSTS": f".{events.STAGE_HOST.partition('.')[2]}"} if kind == "stage" else {}
        with runtime.started(function, environment(**OWN, **hosts), log=log) as running:
            running.wait_for_init()
            for _ in range(16):
                running.ask(_FIRST[kind])
            took = [line["ms"] for line in running.lines() if line["request"] != "warm-up"]
        firsts.append(took[0])
        warm.append(statistics.median(took[1:]))
    return {"first_ms": statistics.median(firsts), "warm_ms": statistics.median(warm)}


def _memory(function: runtime.Function, log: Path) -> dict[str, int]:
    """Kilobytes at the most: after the first page, and after many of all kinds."""
    with runtime.started(function, environment(**OWN), log=log) as running:
        running.wait_for_init()
        running.ask(events.event(LIST))
        first = running.memory_kilobytes()
        guest = events.Guest(lambda asked: running.ask(asked)[1])
        guest.add(PRODUCT)
        for address in itertools.islice(_mixed(), _MIXED):
            guest.get(address)
        return {"first": first, "mixed": running.memory_kilobytes(), "requests": _MIXED}


def _mixed() -> Iterator[str]:
    searches = map(queries.path, queries.distinct(_MIXED))
    for number in itertools.count():
        yield from ("/", LIST, f"{LIST}?page=2", next(searches), f"/products/prod-{number % 31 + 1:03}/", "/cart/")
        yield from ("/checkout/", "/account/login/", "/info/imprint/")


def _imports(function: runtime.Function) -> dict[str, Any]:
    """Where importing the handler takes its time, in ms, by ``-X importtime``. (It takes longer while being timed.)"""
    command = [function.python, "-s", "-X", "importtime", "-c", f"import {function.handler.rpartition('.')[0]}"]
    variables = environment(**OWN) | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=function.folder, env=variables, stderr=subprocess.PIPE, text=True, check=True)
    modules = [(name, int(micro) / 1000) for micro, name in _TIMED.findall(done.stderr)]
    groups: Counter[str] = Counter()
    for name, ms in modules:
        groups[_group(name)] += ms  # type: ignore[assignment]
    slowest = sorted(modules, key=lambda one: -one[1])[:15]
    return {"groups": dict(groups.most_common()), "slowest": slowest, "modules": len(modules)}


def _group(name: str) -> str:
    top = name.partition(".")[0]
    return top if top in _PACKAGES else "the shop" if top in _OURS else "Python itself"
