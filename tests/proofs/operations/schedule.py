"""Threads that take turns: real threads of which one runs at a time, in an order that a test decides.

Each thread has a time of its own, in seconds since the start. Whatever it does costs it some (``spend``), and the
thread whose time is the earliest goes on. So the same costs give the same order every time, a call that takes long is
overtaken by many others, and to leave one thread's work out hardly moves the others: a failure repeats and can be made
shorter.

DynamoDB carries out one request at a time on one item, so handing over at each request reaches every order that counts.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

R = TypeVar("R")
S = TypeVar("S")

#: Real seconds after which a thread that is not let on gives up: then the test is broken, not the shop.
PATIENCE_SECONDS = 120.0


class Schedule(Protocol):
    """How the threads of one run follow on each other."""

    def run(self, programs: Sequence[Callable[[], None]]) -> list[BaseException]:
        """Run each program in a thread of its own until all have ended; gives what they raised, the first one first."""

    @property
    def failed(self) -> bool:
        """Whether any of the threads has raised something."""

    def spend(self, seconds: float) -> None:
        """This thread's time goes on by so much; whoever is behind it goes first."""

    def seconds(self) -> float:
        """This thread's time."""

    def together(self, first: Callable[[], R], second: Callable[[], S]) -> tuple[R, S]:
        """Two things at the same moment: the first in this thread, the second in one more."""


class _Thread:
    """One of the threads: its time, and the lock that it waits at while others run."""

    def __init__(self, number: int, seconds: float) -> None:
        self.number = number
        self.seconds = seconds
        self.turn = threading.Semaphore(0)

    def __lt__(self, other: _Thread) -> bool:
        return (self.seconds, self.number) < (other.seconds, other.number)

    def wait(self) -> None:
        if not self.turn.acquire(timeout=PATIENCE_SECONDS):
            raise TimeoutError("A thread was never let on.")


class _Base:
    """What both kinds of schedule share: who this thread is, and what went wrong in any of them."""

    def __init__(self) -> None:
        self._here = threading.local()
        self._failures: list[BaseException] = []

    def seconds(self) -> float:
        thread: _Thread | None = getattr(self._here, "thread", None)
        return thread.seconds if thread else 0.0

    def _guarded(self, thread: _Thread, work: Callable[[], None]) -> None:
        self._here.thread = thread
        try:
            work()
        except BaseException as failure:  # Nobody else would hear of it.
            self._failures.append(failure)

    @property
    def failed(self) -> bool:
        return bool(self._failures)


class TakingTurns(_Base):
    """One thread runs at a time: the one whose time is the earliest."""

    def __init__(self) -> None:
        super().__init__()
        self._ready: list[_Thread] = []
        self._numbers = 0
        self._all_ended = threading.Event()

    def run(self, programs: Sequence[Callable[[], None]]) -> list[BaseException]:
        for program in programs:
            heapq.heappush(self._ready, self._start(program, seconds=0.0))
        self._let_next_on()
        if not self._all_ended.wait(timeout=PATIENCE_SECONDS * 10):
            raise TimeoutError("The threads never ended.")
        return self._failures

    def spend(self, seconds: float) -> None:
        thread: _Thread = self._here.thread
        thread.seconds += seconds
        if self._ready and self._ready[0] < thread:
            following = heapq.heapreplace(self._ready, thread)
            following.turn.release()
            thread.wait()

    def together(self, first: Callable[[], R], second: Callable[[], S]) -> tuple[R, S]:
        results: list[S] = []
        thread: _Thread = self._here.thread
        waiting: list[_Thread] = []

        def partner() -> None:
            try:
                results.append(second())
            finally:
                # Whoever waits for this thread goes on no earlier than it ended.
                for one in waiting:
                    one.seconds = max(one.seconds, self.seconds())
                    heapq.heappush(self._ready, one)
                waiting.clear()
                running.discard(1)

        running = {1}
        heapq.heappush(self._ready, self._start(partner, seconds=thread.seconds))
        mine = first()
        if running:
            waiting.append(thread)
            self._let_next_on()
            thread.wait()
        return mine, results[0]

    def _start(self, program: Callable[[], None], *, seconds: float) -> _Thread:
        thread = _Thread(self._numbers, seconds)
        self._numbers += 1

        def work() -> None:
            thread.wait()
            try:
                program()
            finally:
                self._let_next_on()

        threading.Thread(target=self._guarded, args=(thread, work), daemon=True).start()
        return thread

    def _let_next_on(self) -> None:
        if self._ready:
            heapq.heappop(self._ready).turn.release()
        else:
            self._all_ended.set()


class AllAtOnce(_Base):
    """Threads as the system runs them, really at the same time. Their times only go on by what they spend."""

    def run(self, programs: Sequence[Callable[[], None]]) -> list[BaseException]:
        threads = [self._start(number, program, seconds=0.0) for number, program in enumerate(programs)]
        for thread in threads:
            _join(thread)
        return self._failures

    def spend(self, seconds: float) -> None:
        self._here.thread.seconds += seconds

    def together(self, first: Callable[[], R], second: Callable[[], S]) -> tuple[R, S]:
        results: list[S] = []
        partner = self._start(-1, lambda: results.append(second()), seconds=self.seconds())
        mine = first()
        _join(partner)
        return mine, results[0]

    def _start(self, number: int, program: Callable[[], None], *, seconds: float) -> threading.Thread:
        thread = threading.Thread(target=self._guarded, args=(_Thread(number, seconds), program), daemon=True)
        thread.start()
        return thread


def _join(thread: threading.Thread) -> None:
    thread.join(timeout=PATIENCE_SECONDS)
    if thread.is_alive():
        raise TimeoutError("A thread never ended.")
