"""Each protection of the core is taken out in turn, in a copy of the shop: a test must fail, every time."""

from __future__ import annotations

import json
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
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
_ARGUMENTS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
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
    *others, last = harmless()
    # The slow tests once: what lives in the quick ones lives, and one that gets through all shows that all can pass.
    fates = _fates(world, others, worlds=(_UNIT_FILES,) if world.full else ())
    fates += _fates(world, [last], worlds=(_UNIT_FILES, _INTEGRATION) if world.full else ())
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
    with tempfile.TemporaryDirectory(prefix="sabotage-", dir=world.directory) as directory, ExitStack() as stack:
        pytests: queue.Queue[_Pytest] = queue.Queue()
        for number in range(min(_AT_ONCE, len(mutants))):
            pytests.put(one := _Pytest(Path(directory, str(number))))
            stack.callback(one.end)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done in as_completed([pool.submit(_fate, mutant, pytests, worlds) for mutant in mutants]):
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


def _fate(mutant: Mutant, pytests: queue.Queue[_Pytest], worlds: Sequence[Sequence[str]]) -> Fate:
    """Ask the tests, from those that should notice first to the slow ones, until one fails."""
    pytest = pytests.get()
    try:
        with _patched(pytest.tree, mutant):
            for tests in asked(mutant, worlds):
                code, said = pytest.run(tests)
                if failed := _FAILED.search(said):
                    return Fate(mutant, caught_by=failed[1])
                if code != 0:
                    return Fate(mutant, odd=f"no test failed, but {tests[0]} ended with {code}: {said[-2_000:]}")
    finally:
        pytests.put(pytest)
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


class _Pytest:
    """A tree of its own, and a process that runs pytest there, again and again."""

    def __init__(self, tree: Path) -> None:
        self.tree = _copy(tree)
        # This process's engine is none of theirs.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm_pytest.py"))],
            cwd=self.tree,
            env=environment | {"ENGINE": ENGINE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, tests: Sequence[str]) -> tuple[int | None, str]:
        """Exit code (None: it took too long) and words of a run of some tests."""
        asked = {"tree": str(self.tree), "arguments": [*_ARGUMENTS, *tests], "seconds": _LONGEST_SECONDS}
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        told = json.loads(self._process.stdout.readline())
        return told["code"], told["said"]

    def end(self) -> None:
        self._process.communicate()
