"""The world of the rehearsal: a fresh emulated AWS, an operator, and visitors from outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from ecokart import local
from tests.e2e.conftest import PATIENCE_MILLISECONDS, opened_chromium
from tests.e2e.visitor import Visitor
from tests.rehearsal import aws as emulated
from tests.rehearsal import inventory, operators
from tests.rehearsal.operators import Operator


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="session")
def aws(directory: Path) -> Iterator[emulated.Aws]:
    with emulated.running(directory / "aws") as running:
        yield running


@pytest.fixture(scope="session")
def before(aws: emulated.Aws) -> set[str]:
    """What there is in the account before the first deployment."""
    return inventory.everything(aws)


@pytest.fixture(scope="session")
def operator(directory: Path, aws: emulated.Aws, before: set[str]) -> Operator:
    return operators.with_checkout(directory / "checkout", aws.environment)


@pytest.fixture(scope="session")
def first(operator: Operator) -> str:
    """What the first deployment says. The limit of requests is a choice; production has it."""
    done = operator.deploys(FIREWALL="on")
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def address(first: str, operator: Operator) -> str:
    """Where the stage answers, with the demo catalogue and an admin."""
    for command in ("seed_catalogue", f"create_admin {local.ADMIN.email}"):
        done = operator.types("manage", RUN=command, ACCOUNT_PASSWORD=local.ADMIN.password)
        assert done.returncode == 0, done.stdout
    return re.findall(r"The shop is open: (https://\S+)", first)[0]


class Outside(requests.Session):
    """Somebody on the internet with cookies, who speaks English."""

    def __init__(self, aws: emulated.Aws, address: str) -> None:
        super().__init__()
        self.trust_env, self.verify, self.proxies = False, str(aws.authority), {"https": aws.proxy}
        self.headers["Accept-Language"] = "en"
        self.address = address

    def see(self, path: str) -> requests.Response:
        return self.get(self.address + path.removeprefix("/"))

    def submit(self, path: str, *, to: str = "", **fields: object) -> requests.Response:
        """Send a form of the page at ``path``, as a browser does, and do not follow where it leads."""
        page = self.see(path)
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[0]
        origin = re.findall(r"https://[^/]+", self.address)[0]
        url = self.address + to.removeprefix("/") if to else page.url
        headers = {"Referer": page.url, "Origin": origin}
        return self.post(url, {"csrfmiddlewaretoken": token, **fields}, headers=headers, allow_redirects=False)


@pytest.fixture
def outside(aws: emulated.Aws, address: str) -> Outside:
    return Outside(aws, address)


class StageVisitor(Visitor):
    """A person at a browser, at a shop that is not at the root of its host. ``faults`` is what their console says."""

    #: What the stage's one admin has left to come in with, once the second factor is set up.
    recovery_codes: ClassVar[list[str]] = []

    def __init__(self, page: Page, address: str) -> None:
        super().__init__(page, "de")
        self.address, self.faults = address, list[str]()
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def open(self, path: str) -> None:
        self.page.goto(self.address + path.removeprefix("/"))

    def logs_in_as_admin(self) -> None:
        self.open("/admin/login/")
        self.fill(email=local.ADMIN.email, password=local.ADMIN.password)
        self.press("Log in")
        self.is_at("/admin/second-factor/")
        if self.recovery_codes:
            self.fill(code=self.recovery_codes.pop())
            self.press("Continue")
        else:
            self.recovery_codes.extend(self.sets_up_the_second_factor())
            self.follow("I have kept them")
        self.is_at("/admin/$")

    def is_at(self, path: str) -> None:
        expect(self.page).to_have_url(re.compile(re.escape(self.address.removesuffix("/")) + path))


@pytest.fixture(scope="session")
def browser(aws: emulated.Aws) -> Iterator[Browser]:
    with opened_chromium(proxy={"server": aws.proxy}) as browser:
        yield browser


@pytest.fixture
def new_visitor(browser: Browser, address: str) -> Iterator[Callable[[], StageVisitor]]:
    contexts = []

    def come() -> StageVisitor:
        # Whose authority signed for AWS's names, this browser does not know; the other visitors do.
        context = browser.new_context(locale="de-DE", ignore_https_errors=True)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        return StageVisitor(context.new_page(), address)

    yield come
    for context in contexts:
        context.close()
