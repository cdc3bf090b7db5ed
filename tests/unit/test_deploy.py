"""What an operator's commands refuse, and with which words; what travels to AWS, and what does not."""

from __future__ import annotations

import ast
import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
import zappa.cli
from botocore.exceptions import ClientError, NoCredentialsError

from ecokart import local
from ecokart.aws import deploy, destroy, programs, stage, static
from ecokart.aws.stage import CannotDeploy, Stage

KEY = "k" * 50
STAGES = ("dev", "staging", "production")
DEV = Stage("dev", region="eu-central-1")


# The settings


def test_there_are_the_three_stages_and_each_is_whole() -> None:
    found = json.loads(stage.SETTINGS.read_text())

    assert tuple(found) == STAGES
    for name in STAGES:
        own = stage.settings(name)
        assert (own["timeout_seconds"], own["manage_roles"], own["keep_warm"]) == (30, False, False)
        assert own["runtime"] == "python3.13"
        assert own["tags"]["stage"] == name
        assert own["log_level"] == "WARNING"


def test_the_settings_hold_no_secret_and_nothing_of_an_account() -> None:
    text = stage.SETTINGS.read_text()

    assert not re.search(r"secret|password|token|role_arn|s3_bucket", text, re.IGNORECASE)


@pytest.mark.parametrize("name", STAGES)
def test_zappa_knows_every_setting(name: str) -> None:
    """It says nothing of one that it does not know."""
    source = Path(zappa.cli.__file__).read_text()

    assert [key for key in stage.settings(name) if f'"{key}"' not in source] == []


def test_the_handler_of_the_settings_is_there() -> None:
    module, _, function = stage.settings("dev")["lambda_handler"].rpartition(".")
    source = local.ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text()

    assert function in {one.name for one in ast.parse(source).body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize("name", ["", "prod"])
def test_a_stage_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(CannotDeploy, match=r"Stages are dev, staging, production"):
        stage.find(name)


# Variables of the function


def test_the_functions_variables_are_those_that_the_shop_reads() -> None:
    read = set(re.findall(r'env\.\w+\("(\w+)"', (local.ROOT / "ecokart" / "settings.py").read_text()))
    keys = stage.secrets({"SECRET_KEY": KEY}, deployed={})

    found = stage.variables(DEV, bucket="files", own=keys)

    assert found.keys() - {"DJANGO_SETTINGS_MODULE"} <= read
    assert found.keys() >= {"SECRET_KEY", "ALLOWED_HOSTS", "STATIC_URL", "MEDIA_URL", "MEDIA_BUCKET"}
    assert {name for name in read if name.endswith("_TABLE")} <= found.keys()


def test_the_tables_of_a_stage_are_those_of_its_stack() -> None:
    named = re.findall(r"TableName: !Sub (\S+)", deploy.TEMPLATE.read_text())

    assert {name.replace("${Stage}", "dev") for name in named} == set(DEV.tables.values())


def test_a_stage_answers_to_one_name_only() -> None:
    with_domain = Stage("dev", region="eu-central-1", domain="shop.example")

    hosts = [stage.variables(one, bucket="files", own={})["ALLOWED_HOSTS"] for one in (DEV, with_domain)]

    assert hosts == [".execute-api.eu-central-1.amazonaws.com", "shop.example"]
    assert DEV.address("abc") == "https://abc.execute-api.eu-central-1.amazonaws.com/dev/"
    assert with_domain.address("abc") == "https://shop.example/"


# Keys


def test_a_first_deployment_needs_a_key_and_says_how_to_make_one() -> None:
    with pytest.raises(CannotDeploy, match=r"export SECRET_KEY="):
        stage.secrets({}, deployed={})


def test_a_short_key_is_refused() -> None:
    with pytest.raises(CannotDeploy, match="has 8 characters; it must have 50"):
        stage.secrets({"SECRET_KEY": "guess-me"}, deployed={})


def test_a_later_deployment_keeps_the_keys_that_are_there() -> None:
    deployed = {"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": "older"}

    assert stage.secrets({}, deployed=deployed) == deployed


def test_another_key_is_refused_unless_somebody_says_what_becomes_of_the_old_one() -> None:
    deployed, new = {"SECRET_KEY": KEY}, "n" * 50

    with pytest.raises(CannotDeploy, match="everybody would be logged out"):
        stage.secrets({"SECRET_KEY": new}, deployed=deployed)
    for fallbacks in (KEY, ""):
        environ = {"SECRET_KEY": new, "SECRET_KEY_FALLBACKS": fallbacks}
        assert stage.secrets(environ, deployed=deployed) == environ


# What is deployed is a commit


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop.py").write_text("open = True\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "First"]):
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(local, "ROOT", tmp_path)
    return tmp_path


def test_changes_that_are_in_no_commit_are_refused_by_name(repository: Path) -> None:
    (repository / "shop.py").write_text("open = False\n")

    with pytest.raises(CannotDeploy, match=r"Commit them or put them away first:\nM shop\.py"):
        programs.check_commit()


def test_files_that_git_does_not_know_stay_at_home(repository: Path) -> None:
    (repository / "notes.txt").write_text("nobody's business")

    with programs.exported(programs.check_commit()) as source:
        assert [file.name for file in source.iterdir()] == ["shop.py"]


def test_a_folder_without_git_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(CannotDeploy, match="is no git repository with a commit"):
        programs.check_commit()


# Programs


def test_zappas_settings_can_be_read_by_nobody_else_and_are_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def ends(words: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        file = Path(words[words.index("--settings_file") + 1])
        seen.update(file=file, mode=stat.S_IMODE(file.stat().st_mode), text=file.read_text(), words=words, **options)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(subprocess, "run", ends)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")

    programs.zappa(DEV, {"memory_size": 512}, "update", "--zip", "package.zip")

    assert json.loads(seen["text"]) == {"dev": {"memory_size": 512}}
    assert seen["mode"] == 0o600
    assert not seen["file"].exists()
    assert seen["words"][3:5] == ["update", "dev"]
    assert seen["env"]["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert list(seen["file"].parent.parent.glob(f"{seen['file'].parent.name}")) == []


def test_a_program_that_fails_ends_the_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = subprocess.CompletedProcess([], 3, stdout=b"The table is on fire.\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(CannotDeploy, match=r"zappa update failed \(exit code 3\)"):
        programs.zappa(DEV, {}, "update")
    with pytest.raises(CannotDeploy, match=r"upgrade_tables failed \(exit code 3\):\nThe table is on fire\."):
        programs.manage(DEV, "upgrade_tables", source=tmp_path, environment={})


# Static files


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "base.1a2b.css").write_text("main {}")
    (tmp_path / "css" / "base.css").write_text("main {}")
    (tmp_path / "font.3c4d.woff2").write_bytes(b"wOF2")
    paths = {"css/base.css": "css/base.1a2b.css", "font.woff2": "font.3c4d.woff2"}
    (tmp_path / "staticfiles.json").write_text(json.dumps({"paths": paths}))
    return tmp_path


def test_static_files_go_under_the_names_that_pages_use_and_may_be_kept_for_good(collected: Path) -> None:
    found = {one.key: one.headers for one in static.uploads(collected)}

    assert found == {
        "static/css/base.1a2b.css": {
            "ContentType": "text/css; charset=utf-8",
            "CacheControl": "public, max-age=31536000, immutable",
            "ContentEncoding": "gzip",
        },
        "static/font.3c4d.woff2": {"ContentType": "font/woff2", "CacheControl": "public, max-age=31536000, immutable"},
    }


def test_only_what_the_bucket_lacks_is_uploaded(collected: Path) -> None:
    session, bucket = boto3.Session(region_name="us-east-1"), "files"
    s3 = session.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="static/font.0000.woff2", Body=b"the version before")

    numbers = [static.upload(session, bucket=bucket, root=collected) for _ in range(2)]

    assert numbers == [2, 0]
    assert "static/font.0000.woff2" in static.keys(s3, bucket)


# The manual


def test_the_manual_says_of_every_alarm_what_to_do() -> None:
    manual = (local.ROOT / "docs" / "deploy.md").read_text()
    alarms = re.findall(r"AlarmName: !Sub ecokart-\$\{Stage\}-(\S+)", deploy.TEMPLATE.read_text())

    assert len(alarms) == 23
    assert [name for name in alarms if f"`{name}`" not in manual] == []


def test_the_manuals_commands_are_there() -> None:
    manual, makefile = (local.ROOT / "docs" / "deploy.md").read_text(), (local.ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z]+)\b(?= STAGE|`)", manual))

    assert targets == {"deploy", "destroy", "image", "manage", "rehearse", "rollback", "test"}
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


# The commands


@pytest.mark.parametrize(
    ("words", "verb", "name"),
    [
        (["dev"], "deploy", "dev"),
        (["deploy", "dev"], "deploy", "dev"),
        (["deploy"], "deploy", ""),
        ([], "deploy", ""),
        (["rollback", "staging"], "rollback", "staging"),
        (["destroy", "production", "--yes-delete-data"], "destroy", "production"),
    ],
)
def test_a_stage_alone_is_deployed(words: list[str], verb: str, name: str) -> None:
    wanted = deploy.parse(words)

    assert (wanted.verb, wanted.stage) == (verb, name)


def test_a_command_of_django_is_handed_on_with_its_options() -> None:
    wanted = deploy.parse(["manage", "dev", "create_account", "dana@example.com", "--admin"])

    assert (wanted.stage, wanted.command) == ("dev", ["create_account", "dana@example.com", "--admin"])


def test_a_refusal_is_a_sentence_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    code = deploy.main(["deploy", "prod"])

    assert code == 1
    assert capsys.readouterr().err.startswith("There is no stage 'prod'.")


def test_without_credentials_the_command_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    here = deploy.Deployment(DEV, environ={})

    def nobody() -> None:
        raise NoCredentialsError

    sts = here.session.client("sts")
    monkeypatch.setattr(sts, "get_caller_identity", nobody)
    monkeypatch.setattr(here.session, "client", lambda _: sts)

    with pytest.raises(CannotDeploy, match="There are no AWS credentials here"):
        here.account()


# Lambda and Zappa


class Function:
    """Lambda's side of a function with these versions, as digests of their code; the last one runs."""

    def __init__(self, *codes: str) -> None:
        self.codes, self.deleted = list(codes), False

    def get_function_configuration(self, **_: str) -> dict[str, str]:
        return {"CodeSha256": self.codes[-1]}

    def get_paginator(self, _: str) -> Function:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        numbered = [{"Version": str(number), "CodeSha256": code} for number, code in enumerate(self.codes, start=1)]
        return [{"Versions": [{"Version": "$LATEST"}, *numbered[:1]]}, {"Versions": numbered[1:]}]

    def get_waiter(self, _: str) -> Function:
        return self

    def wait(self, **_: str) -> None:
        pass

    def delete_function(self, **_: str) -> None:
        self.deleted = True


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> deploy.Deployment:
    here = deploy.Deployment(DEV, environ={})
    monkeypatch.setattr(here, "account", lambda: "000000000000")
    monkeypatch.setattr(here, "api_id", lambda: "abc")
    monkeypatch.setattr(here, "look", lambda _: None)
    return here


def roll_back(here: deploy.Deployment, function: Function, monkeypatch: pytest.MonkeyPatch, *, to: str) -> None:
    """Roll back with a Zappa that makes this code the newest version."""
    monkeypatch.setattr(here, "lambda_client", function)
    monkeypatch.setattr(programs, "zappa", lambda *_: function.codes.append(to))
    here.rollback()


def test_rolling_back_is_done_when_the_code_of_before_runs(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(*"abcdefghijk")

    roll_back(deployment, function, monkeypatch, to="j")

    assert function.codes[-1] == "j"


def test_a_rollback_that_did_not_happen_is_told_although_zappa_is_content(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotDeploy, match="Zappa did not roll back"):
        roll_back(deployment, Function("a", "b"), monkeypatch, to="b")


def test_the_first_version_has_none_to_go_back_to(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotDeploy, match="has no version before this one"):
        roll_back(deployment, Function("a"), monkeypatch, to="a")


@pytest.mark.parametrize("command", [["rollback"], ["manage", "check"]])
def test_what_is_not_deployed_is_neither_rolled_back_nor_managed(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(deployment, "function", lambda: None)

    with pytest.raises(CannotDeploy, match="Stage dev is not deployed"):
        deployment.rollback() if command == ["rollback"] else deployment.manage(command[1:])


@pytest.mark.parametrize(
    ("deployed", "gateway", "word", "deleted"),
    [
        (None, None, "deploy", False),
        ({}, "CREATE_COMPLETE", "update", False),
        ({}, "UPDATE_IN_PROGRESS", "update", False),
        ({}, None, "deploy", True),
        ({}, "ROLLBACK_COMPLETE", "deploy", True),
    ],
)
def test_a_first_deployment_that_ended_halfway_begins_again(
    deployment: deploy.Deployment,
    monkeypatch: pytest.MonkeyPatch,
    deployed: object,
    gateway: str | None,
    word: str,
    deleted: bool,
) -> None:
    function, gone = Function("a"), list[str]()
    monkeypatch.setattr(deployment, "lambda_client", function)
    monkeypatch.setattr(deployment.stacks, "find", lambda _: gateway and {"StackStatus": gateway})
    monkeypatch.setattr(deployment.stacks, "delete", gone.append)

    assert deployment.word(deployed) == word
    assert function.deleted is deleted


class Waf:
    """A firewall that finds the gateway only at a later look."""

    class exceptions:
        WAFUnavailableEntityException = type("Unavailable", (Exception,), {})
        WAFNonexistentItemException = type("Nonexistent", (Exception,), {})

    def __init__(self, looks: int) -> None:
        self.looks, self.bound = looks, list[str]()

    def associate_web_acl(self, *, WebACLArn: str, ResourceArn: str) -> None:
        self.looks -= 1
        if self.looks > 0:
            raise self.exceptions.WAFUnavailableEntityException
        self.bound.append(f"{WebACLArn} {ResourceArn}")


@pytest.mark.parametrize("looks", [1, 3, 20])
def test_the_limit_of_requests_waits_until_a_new_gateway_is_found(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    waf = Waf(looks)
    monkeypatch.setattr(deploy.time, "sleep", lambda _: None)
    monkeypatch.setattr(deployment.session, "client", lambda _: waf)

    deployment.protect("abc", "arn:aws:wafv2:firewall")

    assert waf.bound == ["arn:aws:wafv2:firewall arn:aws:apigateway:eu-central-1::/restapis/abc/stages/dev"]


def test_a_gateway_that_is_never_found_ends_the_deployment(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    waf = Waf(21)
    monkeypatch.setattr(deploy.time, "sleep", lambda _: None)
    monkeypatch.setattr(deployment.session, "client", lambda _: waf)

    with pytest.raises(Waf.exceptions.WAFUnavailableEntityException):
        deployment.protect("abc", "arn:aws:wafv2:firewall")


class BoundWaf:
    """A firewall that is bound to a gateway, or to none."""

    def __init__(self, bound: bool, *, refusal: str = "") -> None:
        self.bound, self.refusal = bound, refusal

    def get_web_acl_for_resource(self, *, ResourceArn: str) -> dict[str, Any]:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal}}, "GetWebACLForResource")  # type: ignore[typeddict-item]
        return {"WebACL": {"Name": "ecokart-dev"}} if self.bound else {}

    def disassociate_web_acl(self, *, ResourceArn: str) -> None:
        assert self.bound
        assert ResourceArn == "arn:aws:apigateway:eu-central-1::/restapis/abc/stages/dev"
        self.bound = False


@pytest.mark.parametrize(
    ("wanted", "was_bound", "is_bound"),
    [("off", True, False), ("off", False, False), ("on", True, True), ("", True, True)],
)
def test_a_limit_of_requests_that_is_switched_off_lets_go_of_the_gateway(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch, wanted: str, was_bound: bool, is_bound: bool
) -> None:
    """CloudFormation cannot delete one that is bound: it would stay, and cost six dollars a month."""
    waf, found = BoundWaf(was_bound), {"StackStatus": "UPDATE_COMPLETE"}
    monkeypatch.setattr(deployment, "environ", {"FIREWALL": wanted})
    monkeypatch.setattr(deployment.session, "client", lambda _: waf)
    monkeypatch.setattr(destroy.Stacks, "find", lambda *_: found)
    monkeypatch.setattr(destroy.Stacks, "resources", lambda *_: ["abc"])

    deployment.unprotect()

    assert waf.bound is is_bound


def test_a_gateway_that_the_firewall_does_not_know_is_not_bound() -> None:
    assert not destroy._is_bound(BoundWaf(False, refusal="WAFNonexistentItemException"), "arn")

    with pytest.raises(ClientError):
        destroy._is_bound(BoundWaf(False, refusal="WAFInternalErrorException"), "arn")


def test_a_limit_of_requests_is_on_or_off(deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "environ", {"FIREWALL": "yes"})

    with pytest.raises(CannotDeploy, match="FIREWALL=yes is neither on nor off"):
        deployment.unprotect()


# Destroying


@pytest.mark.parametrize("typed", ["", "staging", "DEV", "yes"])
def test_whoever_does_not_type_the_stages_name_destroys_nothing(typed: str) -> None:
    with pytest.raises(CannotDeploy, match="Nothing was deleted"):
        destroy.ask(DEV, yes_delete_data=True, answer=lambda _: typed)


def test_nobody_at_the_keyboard_destroys_nothing() -> None:
    def nobody(_: str) -> str:
        raise EOFError

    with pytest.raises(CannotDeploy, match="Nothing was deleted"):
        destroy.ask(DEV, yes_delete_data=False, answer=nobody)


def test_production_is_not_even_asked_about_without_the_flag() -> None:
    production, questions = Stage("production", region="eu-central-1"), list[str]()

    def answer(question: str) -> str:
        questions.append(question)
        return "production"

    with pytest.raises(CannotDeploy, match="only with --yes-delete-data"):
        destroy.ask(production, yes_delete_data=False, answer=answer)
    destroy.ask(production, yes_delete_data=True, answer=answer)

    assert len(questions) == 1


def test_the_stages_name_goes_on() -> None:
    destroy.ask(DEV, yes_delete_data=False, answer=lambda _: " dev\n")


def test_a_bucket_is_emptied_however_much_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destroy, "_AT_ONCE", 2)
    session = boto3.Session(region_name="us-east-1")
    s3 = session.client("s3")
    s3.create_bucket(Bucket="files")
    for number in range(5):
        s3.put_object(Bucket="files", Key=f"picture-{number}", Body=b"")

    destroy.empty(session, "files")

    assert list(static.keys(s3, "files")) == []


def test_a_protected_table_is_unprotected() -> None:
    session = boto3.Session(region_name="eu-central-1")
    client = session.client("dynamodb")
    client.create_table(
        TableName="ecokart-production-orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )

    destroy.unprotect(session, "ecokart-production-orders")

    client.delete_table(TableName="ecokart-production-orders")


# Mails


def test_a_stage_keeps_whom_its_mails_come_from_and_where_their_links_lead() -> None:
    deployed = {"MAIL_FROM": "shop@shop.example", "SITE_URL": DEV.address("abc"), "SECRET_KEY": KEY}
    with_domain = Stage("dev", region="eu-central-1", domain="shop.example")

    assert stage.mail(DEV, {}, deployed={}) == {}
    assert stage.mail(DEV, {}, deployed=deployed) == {name: deployed[name] for name in ("MAIL_FROM", "SITE_URL")}
    assert stage.mail(DEV, {"MAIL_FROM": "new@shop.example"}, deployed=deployed)["MAIL_FROM"] == "new@shop.example"
    assert stage.mail(with_domain, {}, deployed=deployed)["SITE_URL"] == "https://shop.example/"


@pytest.mark.parametrize(("known", "told"), [("", ["https://abc/"]), ("https://shop.example/", [])])
def test_a_first_deployment_tells_the_function_its_address(
    deployment: deploy.Deployment, monkeypatch: pytest.MonkeyPatch, known: str, told: list[str]
) -> None:
    function, said = Function("a"), list[dict[str, str]]()
    function.update_function_configuration = lambda **change: said.append(change["Environment"]["Variables"])  # type: ignore[attr-defined]
    monkeypatch.setattr(deployment, "lambda_client", function)

    deployment.name("https://abc/", {"SECRET_KEY": KEY, "SITE_URL": known})

    assert [one["SITE_URL"] for one in said] == told
    assert all(one["SECRET_KEY"] == KEY for one in said)
