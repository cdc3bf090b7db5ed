"""Other people's scanners: over the code, the repository, the policy for browsers, and the running shop.

What they find must have a reason in ``scanners.toml``. At the small size, only those that read files.
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
from pathlib import Path

from ecokart import local
from tests.attacks.web import Browser
from tests.proofs import Result, World
from tests.proofs.web.customers import shop

TITLE = "Scanners: bandit, detect-secrets, csp_evaluator, wapiti"
WANTED = "no finding of medium or above without a written reason; planted faults are found"
ENGINE = "dynoxide"

CODE = ("ecokart", "shop", "adminpanel", "inventory", "manage.py")
_REASONS = Path(__file__).with_name("scanners.toml")
_EVALUATOR = Path(sys.prefix, "csp_evaluator")
_WAPITI = Path(sys.prefix, "wapiti", "bin", "wapiti")
WAPITI_SECONDS = 150
#: csp_evaluator's own numbers. From here on it only informs.
_CSP_MEDIUM_MAYBE = 50

#: What a scanner found: where, and of which kind.
Findings = Iterator[tuple[str, str]]
#: A secret of the right shape that opens nothing, in two pieces so that this file has none.
_PLANTED_SECRET = "AKIA" + "IOSFODNN7EXAMPLE"
_PLANTED_CODE = f'''import subprocess
KEY = "{_PLANTED_SECRET}"
def run(said: str) -> None:
    subprocess.call(said, shell=True)
    exec(said)
'''


def prove(world: World) -> Result:
    scans: dict[str, Callable[[], Findings]] = {
        "bandit": lambda: bandit(local.ROOT, CODE),
        "detect-secrets": lambda: secrets(local.ROOT, _ours()),
    }
    if world.full:
        scans |= {
            "csp_evaluator": lambda: policy(Browser().get("/").header("content-security-policy")),
            "wapiti": lambda: wapiti(world, "ecokart.wsgi"),
        }
    return _scanned(world, scans)


def control(world: World) -> Result:
    """Faults that were put there: each scanner has to see its own."""
    planted = world.directory / "planted"
    planted.mkdir()
    (planted / "fault.py").write_text(_PLANTED_CODE)
    scans: dict[str, Callable[[], Findings]] = {
        "bandit": lambda: bandit(planted, ("fault.py",)),
        "detect-secrets": lambda: secrets(planted, ["fault.py"]),
    }
    if world.full:
        scans |= {
            "csp_evaluator": lambda: policy("script-src 'self' 'unsafe-inline' https://*; object-src *"),
            "wapiti": lambda: wapiti(world, "tests.attacks.planted_wsgi"),
        }
    result = _scanned(world, scans)
    return result if all(found for _, found in result.parts.values()) else Result(f"{result.parts}", [], result.parts)


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
        # A planted fault stands for itself.
        own = other + ([] if world.directory.joinpath("planted").exists() else gone)
        parts[name] = (found.total(), len(own))
        wrong += own
    return Result(f"{', '.join(scans)}: {sum(tried for tried, _ in parts.values())} findings", wrong, parts)


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


def wapiti(world: World, application: str) -> Findings:
    """Everything that it reports of a shop under gunicorn, but for what is not to be had over plain http."""
    report = world.directory / f"wapiti-{application}.json"
    with shop(world, application) as open_shop:
        command = [
            str(_WAPITI), "-u", f"http://{local.HOST}:{open_shop.port}/", "--scope", "folder", "-d", "3", "--max-scan-time",
            str(WAPITI_SECONDS), "--max-attack-time", "25", "--tasks", "8", "-m", "backup,cookieflags,crlf,csp,exec,file,htaccess,http_headers,methods,permanentxss,redirect,sql,ssrf,xss,xxe,ldap",
            "--flush-session", "--store-session", str(world.directory), "-f", "json", "-o", str(report), "--no-bugreport", "-v", "0",
        ]  # fmt: skip
        _said(command, world.directory)
    said = json.loads(report.read_text())
    for kind, found in [*said["vulnerabilities"].items(), *said["anomalies"].items()]:
        yield from (
            (f"{one['method']} {one['path'].partition('?')[0]} {one['parameter'] or ''}".strip(), kind) for one in found
        )


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
