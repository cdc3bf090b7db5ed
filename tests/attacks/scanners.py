"""Other people's scanners: over the code, the repository, the policy for browsers, and the running shop.

What they find must have a reason in ``scanners.toml``. Each has to find every fault of a kind that was planted for it,
by the name that it has for it. At the small size, only those that read files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import chain
from pathlib import Path

from ecokart import local
from inventory import addresses, reservations
from tests.attacks import axe, people
from tests.attacks.web import Browser
from tests.proofs import Result, World
from tests.proofs.web.customers import Connection, Visitor, shop

TITLE = "Scanners: bandit, detect-secrets, csp_evaluator, wapiti, axe"
WANTED = "no finding of medium or above without a written reason; planted faults are found"
ENGINE = "dynoxide"

CODE = ("ecokart", "shop", "adminpanel", "inventory", "manage.py")
_REASONS = Path(__file__).with_name("scanners.toml")
_EVALUATOR = Path(sys.prefix, "csp_evaluator")
_WAPITI = Path(sys.prefix, "wapiti", "bin", "wapiti")
#: Of a scan, for looking around; and of each kind of attack.
WAPITI_SECONDS, WAPITI_EACH_SECONDS = 45, 10
#: Where the time of an attack is up while it writes down what it has tried, it ends by an error.
WAPITI_TRIES = 2
#: What a customer leaves alone, so that they stay one.
_WAY_OUT = ("/account/logout/", "/account/sessions/*", "/account/delete/")
#: csp_evaluator's own numbers. From here on it only informs.
_CSP_MEDIUM_MAYBE = 50

#: What a scanner found: where, and of which kind.
Findings = Iterator[tuple[str, str]]
#: Secrets of the right shape that open nothing, in pieces so that this file has none.
_PLANTED_CODE = f'''import hashlib, pickle, subprocess
import requests
KEY = "{"AKIA" + "IOSFODNN7EXAMPLE"}"
PEM = "{"-----BEGIN RSA " + "PRIVATE KEY-----"}"
{"pass" + "word"} = "{"vioLet-" + "otter-77"}"
AT = "https://dana:{"vioLet-" + "otter-77"}@db.example/"
def run(said: str, table) -> None:
    subprocess.call(said, shell=True)
    exec(said)
    eval(said)
    pickle.loads(said)
    hashlib.md5(said)
    requests.get(said, verify=False, timeout=1)
    table.execute("select * from users where name = '%s'" % said)
'''  # noqa: S608
_PLANTED_POLICY = "script-src 'self' 'unsafe-inline' 'unsafe-eval' data: https://*; object-src *"
#: What each must say of what was planted for it: no more and no less is asked.
PLANTED: dict[str, set[str]] = {
    "bandit": {"B102", "B301", "B307", "B324", "B501", "B602", "B608"},
    "detect-secrets": {"AWS Access Key", "Basic Auth Credentials", "Private Key", "Secret Keyword"},
    "csp_evaluator": {
        "object-src *", "script-src 'unsafe-eval'", "script-src 'unsafe-inline'", "script-src data:", "script-src https://*",
    },
    "wapiti": {"Open Redirect", "Path Traversal", "Reflected Cross Site Scripting", "SQL Injection"},
    "axe": {
        "button-name", "color-contrast", "document-title", "heading-order", "html-has-lang", "image-alt", "label",
        "landmark-one-main", "link-name", "meta-viewport", "page-has-heading-one", "region", "select-name",
    },
}  # fmt: skip


def prove(world: World) -> Result:
    scans: dict[str, Callable[[], Findings]] = {
        "bandit": lambda: bandit(local.ROOT, CODE),
        "detect-secrets": lambda: secrets(local.ROOT, _ours()),
    }
    if world.full:
        scans |= {
            "csp_evaluator": lambda: policy(Browser().get("/").header("content-security-policy")),
            "wapiti": lambda: chain(wapiti(world), wapiti(world, as_customer=True)),
            "axe": lambda: axe.of_the_shop(world),
        }
    return _scanned(world, scans)


def control(world: World) -> Result:
    """Faults that were put there: each scanner has to see each of its own."""
    planted = world.directory / "planted"
    planted.mkdir()
    (planted / "fault.py").write_text(_PLANTED_CODE)
    scans: dict[str, Callable[[], Findings]] = {
        "bandit": lambda: bandit(planted, ("fault.py",)),
        "detect-secrets": lambda: secrets(planted, ["fault.py"]),
    }
    if world.full:
        scans |= {
            "csp_evaluator": lambda: policy(_PLANTED_POLICY),
            "wapiti": lambda: wapiti(world, "tests.attacks.planted_wsgi"),
            "axe": lambda: axe.of_the_planted_page(world),
        }
    parts: dict[str, tuple[int, int]] = {}
    seen: list[str] = []
    blind: list[str] = []
    for number, (name, scan) in enumerate(scans.items()):
        world.progress(number, len(scans))
        # csp_evaluator's have no other name than where they are.
        named = {word for finding in scan() for word in finding}
        found = sorted(PLANTED[name] & named)
        parts[name] = (len(PLANTED[name]), len(found))
        seen += [f"{name}: {kind}" for kind in found]
        blind += [f"{name}: {kind}" for kind in sorted(PLANTED[name] - named)]
    ran = f"{len(seen)} of {len(seen) + len(blind)} planted faults, each by its name"
    return Result(f"{ran}; not found: {', '.join(blind)}", [], parts) if blind else Result(ran, seen, parts)


def _scanned(world: World, scans: dict[str, Callable[[], Findings]]) -> Result:
    reasons = tomllib.loads(_REASONS.read_text(encoding="utf-8"))
    parts: dict[str, tuple[int, int]] = {}
    wrong: list[str] = []
    for number, (name, scan) in enumerate(scans.items()):
        world.progress(number, len(scans))
        found = Counter(scan())
        known = Counter({(one["file"], one["kind"]): one["count"] for one in reasons.get(name, ())})
        other = [f"{name}: {where}: {kind} ({count})" for (where, kind), count in (found - known).items()]
        gone = [f"{name}: {where}: {kind} is not found any more" for where, kind in known - found]
        parts[name] = (found.total(), len(other + gone))
        wrong += other + gone
    ran = ", ".join(f"{name} {tried}" for name, (tried, _) in parts.items())
    return Result(f"findings, each with its reason: {ran}", wrong, parts)


def bandit(root: Path, what: tuple[str, ...]) -> Findings:
    """Of medium severity or above."""
    command = [sys.executable, "-m", "bandit", "-q", "-ll", "-f", "json", "-r", *what]
    said = json.loads(_said(command, root))
    yield from ((one["filename"].removeprefix("./"), one["test_id"]) for one in said["results"])
    yield from ((one["filename"], "cannot be read") for one in said["errors"])


def _ours() -> list[str]:
    """What is in the repository, but for what is no text."""
    listed = _said(["git", "ls-files", "--cached", "--others", "--exclude-standard"], local.ROOT).split()
    return [name for name in listed if not name.endswith((".webp", ".woff2", ".mo", ".png", ".svg"))]


def secrets(root: Path, files: list[str]) -> Findings:
    """Tests and their passwords, which open nothing, are looked through for the shapes of real keys only."""
    tests = [name for name in files if name.startswith(("tests/", "benchmarks/"))]
    for names, options in (
        ([name for name in files if name not in tests], []),
        (tests, ["--disable-plugin", "KeywordDetector", "--disable-plugin", "Base64HighEntropyString"]),
    ):
        if names:
            command = [sys.executable, "-m", "detect_secrets", "scan", "--no-verify", *options, *names]
            said = json.loads(_said(command, root))
            yield from ((name, one["type"]) for name, found in said["results"].items() for one in found)


def policy(header: str) -> Findings:
    """What Google's evaluator has against a Content-Security-Policy."""
    if not header:
        yield "the policy", "there is none"
        return
    script = """
      const {CspEvaluator} = require(process.argv[1] + '/dist/evaluator.js');
      const {CspParser} = require(process.argv[1] + '/dist/parser.js');
      const findings = new CspEvaluator(new CspParser(process.argv[2]).csp).evaluate();
      console.log(JSON.stringify(findings.map(one => [one.directive + ' ' + (one.value || ''), one.severity, one.description])));
    """
    for where, severity, what in json.loads(_said(["node", "-e", script, str(_EVALUATOR), header], local.ROOT)):
        if severity <= _CSP_MEDIUM_MAYBE:
            yield where.strip(), f"{severity}: {what}"


def wapiti(world: World, application: str = "ecokart.wsgi", *, as_customer: bool = False) -> Findings:
    """Everything that it reports of a shop under gunicorn, but for what is not to be had over plain http.

    A customer has an order, an address and a cart, and must still be one afterwards: or it was a stranger who looked.
    """
    report = world.directory / f"wapiti-{application}-{as_customer}.json"
    with shop(world, application) as open_shop:
        address = f"http://{local.HOST}:{open_shop.port}"
        command = [
            str(_WAPITI), "-u", f"{address}/", "--scope", "folder", "-d", "3", "--max-scan-time",
            str(WAPITI_SECONDS), "--max-attack-time", str(WAPITI_EACH_SECONDS), "--tasks", "8", "-m", "backup,cookieflags,crlf,csp,exec,file,htaccess,http_headers,methods,permanentxss,redirect,sql,ssrf,xss,xxe,ldap",
            "--flush-session", "--store-session", str(world.directory), "-f", "json", "-o", str(report), "--no-bugreport", "-v", "0",
        ]  # fmt: skip
        visitor = Visitor(open_shop, owner_id=_a_customer() if as_customer else "")
        if as_customer:
            command += ["-C", "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())]
            command += [word for path in _WAY_OUT for word in ("-x", f"{address}{path}")]
            command += ["-s", f"{address}/account/"]
        for _ in range(WAPITI_TRIES):
            said = _said(command, world.directory)
            if report.exists():
                break
        else:
            raise local.CannotRun(f"wapiti ended {WAPITI_TRIES} times without a report: {said[-2_000:]}")
        with Connection(open_shop) as line:
            if as_customer and line.ask(visitor.page("/account/")).status != HTTPStatus.OK:
                yield "/account/", "the customer was logged out meanwhile"
    told = json.loads(report.read_text())
    found = [*told["vulnerabilities"].items(), *told["anomalies"].items()]
    # Each once: how often a cookie is met depends on how far a scan comes in its time.
    yield from sorted(
        {
            (f"{one['method']} {one['path'].partition('?')[0]} {one['parameter'] or ''}".strip(), kind)
            for kind, ones in found
            for one in ones
        }
    )


def _a_customer() -> str:
    customer, product = people.a_customer(), people.a_product()
    people.an_order(customer.id, product)
    contact = {"name": "Alice", "street": "Ulmenweg 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
    addresses.add(customer.id, contact)
    reservations.reserve(customer.id, product.id, quantity=1)
    return customer.id


def _said(command: list[str], directory: Path) -> str:
    """What a scanner wrote. It ends with 1 where it has found something."""
    if shutil.which(command[0]) is None:
        raise local.CannotRun(f"{command[0]} is not installed. `make attack` does it.")
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=400, env={**os.environ, "NO_COLOR": "1"}
    )
    if done.returncode not in (0, 1):
        raise local.CannotRun(f"{command[0]} ended with {done.returncode}: {done.stderr[-2_000:]}")
    return done.stdout
