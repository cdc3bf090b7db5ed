"""What GitHub does by itself: test every push, deploy a release, with the least rights and without a stored key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ecokart import local
from ecokart.aws import package

FILES = sorted((local.ROOT / ".github" / "workflows").glob("*"))
READ = {"contents": "read"}
# YAML takes a bare "on" for a truth.
ON = True


def text(name: str) -> str:
    return (local.ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")


def workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(text(name))
    return found


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in FILES:
        for name, job in workflow(file.name)["jobs"].items():
            yield file.name, name, job


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.get("steps", [])
    return found


def commands() -> list[str]:
    return [step["run"] for _, _, job in jobs() for step in steps(job) if "run" in step]


def test_there_are_two():
    assert [file.name for file in FILES] == ["deploy.yml", "test.yml"]


def test_every_push_is_tested_by_what_everybody_types():
    assert workflow("test.yml")[ON] == {"push": {"branches": ["**"]}, "workflow_call": None}
    assert "make test" in [step.get("run") for step in steps(workflow("test.yml")["jobs"]["test"])]


def test_a_release_is_deployed_once_it_is_tested():
    deploy = workflow("deploy.yml")

    assert deploy[ON] == {"release": {"types": ["published"]}}
    assert deploy["jobs"]["test"] == {"uses": "./.github/workflows/test.yml"}
    assert deploy["jobs"]["deploy"]["needs"] == "test"
    assert deploy["concurrency"]["cancel-in-progress"] is False


def test_it_goes_to_stages_that_there_are():
    deploy = workflow("deploy.yml")["jobs"]["deploy"]
    stages = re.findall(r"'(\w+)'", deploy["env"]["STAGE"])
    settings = json.loads((local.ROOT / "zappa_settings.json").read_text(encoding="utf-8"))

    assert stages == ["staging", "production"]
    assert deploy["environment"] == deploy["env"]["STAGE"]
    assert set(stages) <= set(settings)
    (aws,) = (step["with"] for step in steps(deploy) if "aws-actions/" in step.get("uses", ""))
    assert aws == {"role-to-assume": "${{ vars.AWS_ROLE }}", "aws-region": settings["dev"]["aws_region"]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_may_do_more_than_read(file):
    assert workflow(file.name)["permissions"] == READ


def test_only_the_deployment_may_say_who_it_is():
    rights = {(file, name): job["permissions"] for file, name, job in jobs() if "permissions" in job}

    assert rights == {("deploy.yml", "deploy"): READ | {"id-token": "write"}}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_key_is_stored(file):
    assert re.findall(r"secrets\b|access.key|AKIA|password", text(file.name), re.IGNORECASE) == []


def test_what_others_made_is_pinned_by_its_contents():
    used = [line for file in FILES for line in text(file.name).splitlines() if "uses:" in line]

    assert len(used) > 4
    for line in used:
        assert re.search(r"uses: (\./\.github/\S+|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$", line), line


def test_a_checkout_leaves_no_token_behind():
    checkouts = [step for _, _, job in jobs() for step in steps(job) if "checkout@" in step.get("uses", "")]

    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}] * 2


def test_python_is_that_of_lambda():
    versions = [
        step["with"]["python-version"]
        for _, _, job in jobs()
        for step in steps(job)
        if "python@" in step.get("uses", "")
    ]

    assert versions == [package.RUNTIME] * 2


def test_commands_are_targets_that_there_are():
    makefile = (local.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [word for command in commands() for word in re.findall(r"\bmake ([\w-]+)", command)]

    assert targets == ["deploy", "test", "image"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_no_command_is_made_of_what_somebody_else_wrote():
    """A release's name is a text that a shell would read."""
    assert [command for command in commands() if "${{" in command] == []


def test_nothing_runs_for_ever():
    assert all("timeout-minutes" in job for _, _, job in jobs() if "steps" in job)
