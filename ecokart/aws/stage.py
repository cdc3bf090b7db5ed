"""One stage of the shop on AWS: what its parts are called, where it answers, and the variables of its function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecokart import local

SETTINGS = local.ROOT / "zappa_settings.json"
TABLES = ("products", "users", "carts", "orders", "movements", "notes", "mails", "audit")
SHORTEST_SECRET = 50


class CannotDeploy(Exception):
    """Why nothing is deployed or destroyed, as a sentence for whoever typed the command."""


@dataclass(frozen=True)
class Stage:
    """A stage of ``zappa_settings.json``. ``domain`` is its own name on the internet, where it has one."""

    name: str
    region: str
    domain: str = ""

    @property
    def function(self) -> str:
        """Also the name of the stack that Zappa makes for the gateway."""
        return f"ecokart-{self.name}"

    @property
    def data_stack(self) -> str:
        return f"ecokart-{self.name}-data"

    @property
    def tables(self) -> dict[str, str]:
        """The names of the tables, by the variables that the shop reads them from."""
        return {f"{table.upper()}_TABLE": f"ecokart-{self.name}-{table}" for table in TABLES}

    def address(self, api_id: str) -> str:
        """Where the public finds the shop, with a slash at the end."""
        if self.domain:
            return f"https://{self.domain}/"
        return f"https://{api_id}.execute-api.{self.region}.amazonaws.com/{self.name}/"


def settings(name: str) -> dict[str, Any]:
    """A stage's part of ``zappa_settings.json``, with what it extends. Raises CannotDeploy when there is none."""
    stages = json.loads(SETTINGS.read_text(encoding="utf-8"))
    if name not in stages:
        given = f"There is no stage {name!r}." if name else "Which stage?"
        raise CannotDeploy(
            f"{given} Stages are {', '.join(stages)}; for example: make deploy STAGE={next(iter(stages))}"
        )
    own: dict[str, Any] = dict(stages[name])
    extended = own.pop("extends", None)
    return (settings(extended) if extended else {}) | own


def find(name: str) -> Stage:
    """The stage of that name. Raises CannotDeploy when there is none."""
    own = settings(name)
    return Stage(name, region=own["aws_region"], domain=own.get("domain", ""))


def secrets(environ: Mapping[str, str], *, deployed: Mapping[str, str]) -> dict[str, str]:
    """The stage's keys: the operator's, or those of the function that is there already.

    Raises CannotDeploy when there is no key, when it is short, and when it would quietly replace the one in use: that
    logs everybody out and makes order links worthless.
    """
    in_use = deployed.get("SECRET_KEY", "")
    key = environ.get("SECRET_KEY", "") or in_use
    if not key:
        raise CannotDeploy(
            "SECRET_KEY is not set. Make one, keep it where you keep passwords, and set it for this command: "
            "export SECRET_KEY=$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))')"
        )
    if len(key) < SHORTEST_SECRET:
        raise CannotDeploy(f"SECRET_KEY has {len(key)} characters; it must have {SHORTEST_SECRET} or more.")
    fallbacks = environ.get("SECRET_KEY_FALLBACKS")
    if in_use and key != in_use and fallbacks is None:
        raise CannotDeploy(
            "SECRET_KEY is not the one that this stage uses, so everybody would be logged out. Put the old one into "
            "SECRET_KEY_FALLBACKS to change keys, or set SECRET_KEY_FALLBACKS to nothing if that is what you want."
        )
    kept = deployed.get("SECRET_KEY_FALLBACKS", "") if fallbacks is None else fallbacks
    return {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": kept}


def mail(stage: Stage, environ: Mapping[str, str], *, deployed: Mapping[str, str]) -> dict[str, str]:
    """Whom the stage's mails come from (the operator's word, or what the function there says), and where links lead.

    A stage without a name of its own learns its address with its first deployment.
    """
    known = {name: environ.get(name) or deployed.get(name, "") for name in ("MAIL_FROM", "SITE_URL")}
    if stage.domain:
        known["SITE_URL"] = stage.address("")
    return {name: value for name, value in known.items() if value}


def variables(stage: Stage, *, bucket: str, own: Mapping[str, str]) -> dict[str, str]:
    """The environment of a stage's function: ``own`` is what another deployment of the same code would not share.

    What the stage's settings say of it comes last.

    It answers to one address only, because each process keeps parts of pages, and links in them begin with the
    address's path. The names of API Gateway are given as a whole: the first deployment knows its own only afterwards,
    and the gateway hands on no request that was sent to another one's.
    """
    files = f"https://{bucket}.s3.{stage.region}.amazonaws.com/"
    return {
        "DJANGO_SETTINGS_MODULE": "ecokart.settings",
        **own,
        "EMAIL_BACKEND": "anymail.backends.amazon_ses.EmailBackend",
        "ALLOWED_HOSTS": stage.domain or f".execute-api.{stage.region}.amazonaws.com",
        "MEDIA_BUCKET": bucket,
        "MEDIA_URL": files,
        "STATIC_URL": f"{files}static/",
        **stage.tables,
        **settings(stage.name).get("aws_environment_variables", {}),
    }
