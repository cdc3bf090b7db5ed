"""Each protection of the core is taken out in turn, in a copy of the shop: a test must fail, every time."""

from __future__ import annotations

import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ecokart import local
from tests.proofs import Result, World
from tests.proofs.mutants import Mutant, all_mutants, harmless

TITLE = "Sabotage: each condition, version, token, expiry check, idempotency rule removed in turn"
WANTED = "≥ 20 mutants, every one is caught by the suite"
ENGINE = "dynoxide"

_AT_ONCE = 2
_SAMPLE = 3
_LONGEST_SECONDS = 600
_COPIED = ("adminpanel", "ecokart", "inventory", "shop", "static", "templates", "tests", "manage.py", "pyproject.toml")
# Which tests look at the core. The rest of the suite sees it through them.
_UNIT = ("reservations", "checkout", "orders", "stock", "products", "accounts", "dynamodb", "models")
_UNIT_FILES = tuple(f"tests/unit/test_{name}.py" for name in _UNIT)
_INTEGRATION = ("tests/integration",)
_PROOFS = ("tests/proofs", "-k", "not sabotage")
# Each is a pytest process of its own: PynamoDB leads a process to one database for life, and each has another.
_WORLDS = (_UNIT_FILES, _INTEGRATION, _PROOFS)
_FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: caught by a test, or not, or ``odd`` where the tests could not say."""

    mutant: Mutant
    caught_by: str = ""
    odd: str = ""

    @property
    def sentence(self) -> str:
        name = f"{self.mutant.file} without {self.mutant.lacks}"
        return f"{name}: {self.odd or self.caught_by or 'survived'}"


def prove(world: World) -> Result:
    every = all_mutants()
    wrong = [reason for mutant in every if (reason := _unsound(mutant))]
    chosen = every if world.full else random.Random(world.seed).sample(every, _SAMPLE)
    fates = [] if wrong else _fates(world, chosen, worlds=_WORLDS if world.full else ())
    wrong += [fate.sentence for fate in fates if not fate.caught_by]
    files = Counter(fate.caught_by.partition("::")[0].rpartition("/")[2] for fate in fates if fate.caught_by)
    by = ", ".join(f"{file} {count}" for file, count in files.most_common())
    size = f"{len(fates)} mutants" if world.full else f"{len(fates)} of {len(every)} mutants"
    return Result(f"{size}, {files.total()} caught by a failed test ({by})", wrong)


def control(world: World) -> Result:
    """Changes that take nothing away. That they live is what is wrong with them."""
    fates = _fates(world, tuple(harmless()), worlds=(_UNIT_FILES, _INTEGRATION) if world.full else ())
    caught = [fate.sentence for fate in fates if fate.caught_by or fate.odd]
    if caught:
        return Result(f"the suite finds fault with what is not wrong: {caught}", [])
    return Result(f"{len(fates)} harmless changes, none caught", [fate.sentence for fate in fates])


def _unsound(mutant: Mutant) -> str:
    """Why a mutant says nothing about the code as it is now, if so."""
    code = (local.ROOT / mutant.file).read_text()
    if code.count(mutant.old) != 1:
        return f"{mutant.file} has {mutant.old!r} {code.count(mutant.old)} times, not once."
    try:
        compile(code.replace(mutant.old, mutant.new), mutant.file, "exec")
    except SyntaxError as mistake:
        return f"{mutant.file} without {mutant.lacks} does not compile: {mistake}"
    return ""


def _fates(world: World, mutants: Sequence[Mutant], *, worlds: Sequence[Sequence[str]]) -> list[Fate]:
    fates: list[Fate] = []
    with tempfile.TemporaryDirectory(prefix="sabotage-", dir=world.directory) as directory:
        trees: queue.Queue[Path] = queue.Queue()
        for number in range(min(_AT_ONCE, len(mutants))):
            trees.put(_copy(Path(directory, str(number))))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done in as_completed([pool.submit(_fate, mutant, trees, worlds) for mutant in mutants]):
                fates.append(done.result())
                world.progress(len(fates), len(mutants))
                if world.full:
                    print(fates[-1].sentence, file=sys.stderr, flush=True)
    return fates


def _copy(tree: Path) -> Path:
    """The shop and its tests, so that nobody else sees what is done to them."""
    tree.mkdir()
    for name in _COPIED:
        source = local.ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    return tree


def _fate(mutant: Mutant, trees: queue.Queue[Path], worlds: Sequence[Sequence[str]]) -> Fate:
    """Ask the tests, from those that should notice first to the slow ones, until one fails."""
    tree = trees.get()
    try:
        with _patched(tree, mutant):
            for tests in asked(mutant, worlds):
                code, said = _tested(tree, tests)
                if failed := _FAILED.search(said):
                    return Fate(mutant, caught_by=failed[1])
                if code:
                    return Fate(mutant, odd=f"no test failed, but {tests[0]} ended with {code}: {said[-2_000:]}")
    finally:
        trees.put(tree)
    return Fate(mutant)


def asked(mutant: Mutant, worlds: Sequence[Sequence[str]] = _WORLDS) -> Iterator[Sequence[str]]:
    """What each pytest process is asked: the test that should notice, its file, and then what more there is."""
    name, _, test = mutant.by.partition("::")
    first = f"tests/unit/{name}.py"
    if test:
        yield (f"{first}::{test}",)
    yield (first,)
    for tests in worlds:
        yield tuple(one for one in tests if one != first)


@contextmanager
def _patched(tree: Path, mutant: Mutant) -> Iterator[None]:
    file = tree / mutant.file
    code = file.read_text()
    _write(file, code.replace(mutant.old, mutant.new))
    try:
        yield
    finally:
        _write(file, code)


def _write(file: Path, code: str) -> None:
    """Write a module. What was compiled of it goes: within a second and at the same length it would pass for new."""
    file.write_text(code)
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def _tested(tree: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Exit code and words of a run of some tests. A run that takes too long is ended, with all that it started."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # This process's engine is none of theirs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"ENGINE": ENGINE}
    with subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = f"still running after {_LONGEST_SECONDS} seconds"
    return process.returncode, said
