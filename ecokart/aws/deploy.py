"""Bring a stage of the shop to AWS, bring it up to date, roll it back, take it away.

``python -m ecokart.aws.deploy STAGE``; ``… rollback STAGE``; ``… manage STAGE COMMAND …``; ``… destroy STAGE``.
Which AWS is talked to, and as whom, the AWS SDK's own variables say. docs/deploy.md tells the whole story.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from ecokart import local
from ecokart.aws import destroy, package, programs, smoke, static
from ecokart.aws.stack import STILLBORN, StackFailed, Stacks
from ecokart.aws.stage import CannotDeploy, Stage, find, mail, secrets, settings, variables

_TRIES_TO_PROTECT = 20
_SECONDS_BETWEEN_TRIES = 5.0
TEMPLATE = local.ROOT / "ecokart" / "aws" / "data.yaml"


def say(text: str) -> None:
    """Tell the operator, at once: what follows may take minutes."""
    print(text, flush=True)


class Deployment:
    """One command on one stage, with what it knows of the operator's environment."""

    def __init__(self, stage: Stage, *, environ: Mapping[str, str]) -> None:
        self.stage, self.environ = stage, environ
        self.session = boto3.Session(region_name=stage.region)
        self.stacks = Stacks(self.session)
        self.lambda_client: Any = self.session.client("lambda")

    # What a command checks before it touches anything

    def account(self) -> str:
        """The account that we may work in. Raises CannotDeploy when AWS does not know us."""
        try:
            number: str = self.session.client("sts").get_caller_identity()["Account"]
        except (NoCredentialsError, PartialCredentialsError) as missing:
            raise CannotDeploy(
                "There are no AWS credentials here. Log in (aws sso login, or export AWS_PROFILE=…) and try again."
            ) from missing
        except ClientError as refused:
            raise CannotDeploy(
                f"AWS does not accept the credentials: {refused.response['Error']['Message']}"
            ) from refused
        return number

    def function(self) -> dict[str, str] | None:
        """The variables of the function that is there, or None before the first deployment."""
        try:
            found = self.lambda_client.get_function_configuration(FunctionName=self.stage.function)
        except self.lambda_client.exceptions.ResourceNotFoundException:
            return None
        kept: dict[str, str] = found.get("Environment", {}).get("Variables", {})
        return kept

    # Deploying, step by step

    def deploy(self, *, python: str) -> None:
        """Everything of a stage, made or brought up to date, and looked at from outside.

        Whatever fails stops it there; the same command goes on from there when the cause is gone.
        """
        commit = programs.check_commit()
        account = self.account()
        deployed = self.function()
        own = secrets(self.environ, deployed=deployed or {}) | mail(self.stage, self.environ, deployed=deployed or {})
        say(f"Stage {self.stage.name}, commit {commit[:12]}, account {account}, region {self.stage.region}")

        self.unprotect()
        outputs = self.data(own)
        environment = variables(self.stage, bucket=outputs["Bucket"], own=own)
        with programs.exported(commit) as source, tempfile.TemporaryDirectory() as scratch:
            package = build(Path(scratch), python=python)
            self.files(source, environment, bucket=outputs["Bucket"], root=Path(scratch, "static"))
            say("Tables: bringing them up to date")
            programs.manage(self.stage, "upgrade_tables", source=source, environment=environment)
            self.zappa(self.word(deployed), "--zip", str(package), outputs=outputs, environment=environment)
        self.lambda_client.get_waiter("function_updated_v2").wait(FunctionName=self.stage.function)
        api = self.api_id()
        self.name(self.stage.address(api), environment)
        if firewall := outputs.get("Firewall"):
            self.protect(api, firewall)
        self.certify(outputs, environment)
        self.look(self.stage.address(api))

    def data(self, own: Mapping[str, str]) -> dict[str, str]:
        """The stack of tables, bucket, rights, limits and alarms. Gives its outputs."""
        say("Data stack: tables, bucket, rights, limits, alarms")
        parameters = {
            "Stage": self.stage.name,
            "AlarmAddress": self.environ.get("ALARM_ADDRESS"),
            "MailFrom": own.get("MAIL_FROM"),
            "MonthlyDollars": self.environ.get("MONTHLY_DOLLARS"),
            "LimitRequests": self.environ.get("FIREWALL"),
        }
        body, tags = TEMPLATE.read_text(encoding="utf-8"), {"project": "ecokart", "stage": self.stage.name}
        return self.stacks.apply(self.stage.data_stack, template=body, parameters=parameters, tags=tags)

    def files(self, source: Path, environment: Mapping[str, str], *, bucket: str, root: Path) -> None:
        """Static files go before the function: its pages find theirs from the first request on."""
        collecting = {**environment, "STATIC_ROOT": str(root)}
        programs.manage(self.stage, "collectstatic", "--noinput", source=source, environment=collecting)
        number = static.upload(self.session, bucket=bucket, root=root)
        say(f"Static files: {number} new in {bucket}")

    def zappa(self, *command: str, outputs: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """Zappa itself, with settings that it needs and that belong into no repository."""
        say(f"Zappa: {command[0]}")
        own = {
            **settings(self.stage.name),
            "role_arn": outputs["RoleArn"],
            "s3_bucket": outputs["Bucket"],
            "aws_environment_variables": dict(environment),
        }
        programs.zappa(self.stage, own, *command)

    def word(self, deployed: object) -> str:
        """What to ask of Zappa: ``deploy`` or ``update``.

        It can do neither with what a first deployment left that ended halfway. That is taken away; it holds no data.
        """
        stack = self.stacks.find(self.stage.function)
        if deployed is not None and stack is not None and stack["StackStatus"] not in STILLBORN:
            return "update"
        if deployed is not None:
            self.lambda_client.delete_function(FunctionName=self.stage.function)
        self.stacks.delete(self.stage.function)
        return "deploy"

    def api_id(self) -> str:
        """The gateway's name among all of AWS. Raises CannotDeploy when Zappa has made none."""
        found = self.stacks.resources(self.stage.function, "AWS::ApiGateway::RestApi")
        if not found:
            raise CannotDeploy(f"Zappa has left no gateway in the stack {self.stage.function}. Run the command again.")
        return found[0]

    def name(self, address: str, environment: Mapping[str, str]) -> None:
        """Tell the function where it is found, for links in mails. A new gateway has its address only now."""
        if environment.get("SITE_URL"):
            return
        said = {**environment, "SITE_URL": address}
        self.lambda_client.update_function_configuration(
            FunctionName=self.stage.function, Environment={"Variables": said}
        )
        self.lambda_client.get_waiter("function_updated_v2").wait(FunctionName=self.stage.function)

    def unprotect(self) -> None:
        """Where the limit of requests is switched off, let go of the gateway: one that is bound cannot be deleted."""
        wanted = self.environ.get("FIREWALL", "")
        if wanted not in ("", "on", "off"):
            raise CannotDeploy(f"FIREWALL={wanted} is neither on nor off.")
        if wanted == "off":
            destroy.unbind(self.session, self.stage)

    def protect(self, api: str, firewall: str) -> None:
        """Bind the limit of requests to the gateway's stage. A new one takes WAF some moments to find."""
        waf: Any = self.session.client("wafv2")
        resource = destroy.gateway_arn(self.stage, api, partition=firewall.split(":")[1])
        for tries_left in reversed(range(_TRIES_TO_PROTECT)):
            try:
                waf.associate_web_acl(WebACLArn=firewall, ResourceArn=resource)
                return
            except (waf.exceptions.WAFUnavailableEntityException, waf.exceptions.WAFNonexistentItemException):
                if not tries_left:
                    raise
                time.sleep(_SECONDS_BETWEEN_TRIES)

    def certify(self, outputs: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """A stage with a name of its own answers there. Zappa makes the name, or brings it up to date."""
        if self.stage.domain:
            self.zappa("certify", "--yes", outputs=outputs, environment=environment)

    def look(self, address: str) -> None:
        """Look at every kind of page from outside. Raises CannotDeploy with what is wrong."""
        say(f"Looking at {address}")
        wrong = [late] if (late := smoke.wait_for(address)) else []
        for name, faults in [] if wrong else smoke.look_around(address):
            say(f"  {'wrong' if faults else 'good '}  {name}")
            wrong += faults
        if wrong:
            lines = "\n".join(f"  {fault}" for fault in wrong)
            raise CannotDeploy(
                f"The stage is deployed, but not well:\n{lines}\nGo back with: make rollback STAGE={self.stage.name}"
            )
        say(f"The shop is open: {address}")

    # What else an operator does with a stage

    def rollback(self) -> None:
        """The function's code of the version before. Data, variables and tables stay as they are.

        Zappa says that all is well also when it could not, so what runs is compared with what should.
        """
        self.account()
        if self.function() is None:
            raise CannotDeploy(f"Stage {self.stage.name} is not deployed.")
        versions = self.versions()
        if len(versions) < 2:
            raise CannotDeploy(f"Stage {self.stage.name} has no version before this one.")
        programs.zappa(self.stage, settings(self.stage.name), "rollback", "--num-rollback", "1")
        self.lambda_client.get_waiter("function_updated_v2").wait(FunctionName=self.stage.function)
        now = self.lambda_client.get_function_configuration(FunctionName=self.stage.function)["CodeSha256"]
        if now != versions[1]:
            raise CannotDeploy("Zappa did not roll back; what went wrong stands above.")
        self.look(self.stage.address(self.api_id()))

    def versions(self) -> list[str]:
        """Digests of the code of every version that Lambda keeps, the newest first."""
        pages = self.lambda_client.get_paginator("list_versions_by_function").paginate(FunctionName=self.stage.function)
        kept = [one for page in pages for one in page["Versions"] if one["Version"] != "$LATEST"]
        return [one["CodeSha256"] for one in sorted(kept, key=lambda one: -int(one["Version"]))]

    def manage(self, command: list[str]) -> None:
        """One of Django's commands on the stage's data, here and with the operator's own rights."""
        self.account()
        deployed = self.function()
        if deployed is None:
            raise CannotDeploy(f"Stage {self.stage.name} is not deployed.")
        programs.manage(self.stage, *command, source=local.ROOT, environment=deployed, quiet=False)

    def destroy(self, *, yes_delete_data: bool) -> None:
        """The function, its gateway, all data. Raises CannotDeploy when that was not meant, or something is left."""
        self.account()
        destroy.ask(self.stage, yes_delete_data=yes_delete_data)
        own = settings(self.stage.name)
        destroy.run(
            self.session, self.stage, undeploy=lambda: programs.zappa(self.stage, own, "undeploy", "--yes"), say=say
        )


def build(directory: Path, *, python: str) -> Path:
    """The zip for Lambda, for a version of Python."""
    say(f"Package: for Python {python}")
    built = package.build(directory / "package.zip", python=python)
    say(f"Package: {built.stat().st_size / 1e6:.1f} MB")
    return built


# The command line


def parse(arguments: list[str]) -> argparse.Namespace:
    verbs = ("deploy", "rollback", "manage", "destroy")
    if not arguments or arguments[0] not in (*verbs, "-h", "--help"):
        arguments = ["deploy", *arguments]
    parser = argparse.ArgumentParser(prog="python -m ecokart.aws.deploy", description=__doc__)
    commands = parser.add_subparsers(dest="verb", required=True)
    for verb in verbs:
        command = commands.add_parser(verb)
        command.add_argument("stage", nargs="?", default="")
        if verb == "deploy":
            command.add_argument("--python", default="", help="build the package for another Python than the runtime's")
        if verb == "manage":
            command.add_argument("command", nargs=argparse.REMAINDER)
        if verb == "destroy":
            command.add_argument("--yes-delete-data", action="store_true", help="production's data too")
    return parser.parse_args(arguments)


def run(wanted: argparse.Namespace, environ: Mapping[str, str]) -> None:
    deployment = Deployment(find(wanted.stage), environ=environ)
    if wanted.verb == "deploy":
        python = wanted.python or settings(wanted.stage)["runtime"].removeprefix("python")
        deployment.deploy(python=python)
    elif wanted.verb == "rollback":
        deployment.rollback()
    elif wanted.verb == "manage":
        deployment.manage(wanted.command)
    else:
        deployment.destroy(yes_delete_data=wanted.yes_delete_data)


def main(arguments: list[str]) -> int:
    try:
        run(parse(arguments), os.environ)
    except (CannotDeploy, StackFailed, package.CannotBuild) as refusal:
        print(refusal, file=sys.stderr)
    except ClientError as refused:
        error = refused.response["Error"]
        print(f"AWS refused {refused.operation_name}: {error['Message']} ({error['Code']})", file=sys.stderr)
    except BotoCoreError as failed:
        print(f"AWS could not be asked: {failed}", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
