"""What the Dockerfile makes: a shop that runs, of what it needs and nothing else."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from ecokart import local
from tests.container.conftest import Container, run
from tests.container.crowd import HEADERS
from tests.container.image import SECRET, UNWANTED, Image

NOBODYS = 10001


def page(port: int, path: str) -> tuple[int, bytes]:
    asked = urllib.request.Request(f"http://{local.HOST}:{port}{path}", headers={**HEADERS, "Accept-Encoding": ""})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.status, answer.read()


@pytest.fixture(scope="module")
def container(start: Callable[..., AbstractContextManager[Container]]) -> Iterator[Container]:
    """One of three processes, where the image says two."""
    with start(WEB_CONCURRENCY="3") as running:
        yield running


def test_pages_and_static_files_are_answered(container: Container):
    status, body = page(container.port, "/products/")
    css = re.search(rb'href="(/static/css/tokens\.\w+\.css)"', body)

    assert status == 200
    assert css is not None
    assert page(container.port, css[1].decode())[0] == 200
    assert page(container.port, "/admin/login/")[0] == 200


def test_it_runs_as_a_user_without_rights(built: Image, container: Container):
    processes = [container.process.pid, *container.workers()]

    assert (built.user, built.uid()) == ("shop", NOBODYS)
    # Where we are not root ourselves, it can only be who we are.
    owner = NOBODYS if os.getuid() == 0 else os.getuid()
    assert {Path(f"/proc/{process}").stat().st_uid for process in processes} == {owner}


@pytest.mark.parametrize(
    "path", ["/shop/ecokart/settings.py", "/shop/new.py", "/usr/local/bin/gunicorn", "/etc/passwd"]
)
def test_it_cannot_change_itself(built: Image, path: str):
    assert run(built, ["python", "-c", f"open({str(built.inside(path))!r}, 'a')"], {}) == 1


def test_it_has_as_many_processes_as_it_is_told(built: Image, container: Container):
    assert built.variables["WEB_CONCURRENCY"] == "2"
    assert len(container.workers()) == 3


def test_it_listens_where_it_says(built: Image):
    assert built.port == built.variables["PORT"]


def test_it_is_healthy_by_a_name_that_it_answers_to(container: Container):
    assert container.is_healthy()
    stranger = replace(container, variables=container.variables | {"ALLOWED_HOSTS": "another.example"})

    assert not stranger.is_healthy()


@pytest.mark.parametrize("name", UNWANTED)
def test_what_lies_about_stays_out(workshop: Path, built: Image, name: str):
    assert (workshop / "context" / name).read_text(encoding="utf-8") == SECRET

    assert not built.inside(name).exists() or built.inside(name).read_text(encoding="utf-8") != SECRET


def test_it_holds_what_the_shop_needs_and_nothing_else(built: Image):
    names = {path.name for path in built.inside(".").iterdir()}

    assert names == {
        "adminpanel", "ecokart", "inventory", "manage.py", "requirements.txt", "shop", "static", "staticfiles",
        "templates",
    }  # fmt: skip


def test_it_holds_no_key(built: Image):
    assert "SECRET_KEY" not in built.variables


def test_only_what_runs_in_production_is_installed(built: Image):
    site = next((built.root / "usr" / "local" / "lib").glob("python3.*")) / "site-packages"
    installed = {path.name.partition("-")[0].lower().replace("_", "-") for path in site.glob("*.dist-info")}
    lines = built.inside("requirements.txt").read_text(encoding="utf-8").splitlines()

    assert installed - {"pip", "setuptools"} == {line.partition("==")[0].lower() for line in lines if "==" in line}
