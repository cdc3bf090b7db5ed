"""What `manage.py` can do, and what it prints."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command, execute_from_command_line
from django.core.management.base import OutputWrapper

from inventory import accounts, catalogue, reservations, second_factor, tables
from inventory.demo import seeding
from inventory.management import progress
from inventory.models import Movement, Product, User
from inventory.tables import Progress
from tests.unit import wire

PASSWORD = "correct horse 1"


class Terminal(io.StringIO):
    """A place to print to that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(command: str, *arguments: str, **options: object) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNT_PASSWORD", PASSWORD)


# Tables


def test_create_tables_makes_what_is_missing_and_says_so():
    Movement.delete_table()

    printed = run("create_tables")

    assert Movement.exists()
    assert printed.splitlines() == [
        "  ecokart-products: 1 of 8",
        "  ecokart-users: 2 of 8",
        "  ecokart-carts: 3 of 8",
        "  ecokart-orders: 4 of 8",
        "  ecokart-movements: 5 of 8",
        "  ecokart-notes: 6 of 8",
        "  ecokart-mails: 7 of 8",
        "  ecokart-audit: 8 of 8",
    ]


def test_create_tables_twice_harms_nothing(product: Product):
    assert run("create_tables") == run("create_tables")
    assert catalogue.find(product.id).stock == 10


def test_upgrade_tables_tells_how_much_it_brought_up_to_date(product: Product):
    Product(product.id).update([Product.available.remove(), Product.catalogue.remove()])

    printed = [run("upgrade_tables"), run("upgrade_tables")]

    assert "  ecokart-products: 1 brought up to date" in printed[0]
    assert "  ecokart-products: 0 brought up to date" in printed[1]
    assert catalogue.find(product.id).available == 10


@pytest.fixture
def old_product(product: Product, monkeypatch: pytest.MonkeyPatch) -> Product:
    """A product that an upgrade has something to do with; and nobody waits between tries."""
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)
    Product(product.id).update([Product.available.remove(), Product.catalogue.remove()])
    return product


@pytest.mark.parametrize(
    "trouble",
    [
        lambda: wire.cancelling("ThrottlingError", "None", times=99),
        lambda: wire.losing_requests("GetItem"),
        lambda: wire.losing_requests("Scan"),
        lambda: wire.refusing("Scan", "ThrottlingException"),
    ],
)
def test_a_command_says_in_a_sentence_that_the_database_did_not_answer(old_product: Product, trouble):
    with trouble(), pytest.raises(CommandError, match="run the command again"):
        run("upgrade_tables")

    assert "ecokart-products: 1 brought up to date" in run("upgrade_tables")


def test_a_command_does_not_hide_a_mistake_of_ours(old_product: Product):
    with wire.refusing("Scan", "ValidationException"), pytest.raises(ClientError):
        run("upgrade_tables")


# The demo catalogue


def test_seed_catalogue_fills_the_shop_and_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch):
    """Pictures are drawn in test_seeding.py; here one key does for all of them."""
    monkeypatch.setattr(seeding.pictures, "store", lambda file: "products/one-for-all")

    printed = [run("seed_catalogue"), run("seed_catalogue")]

    assert printed == ["  demo products: 31 of 31\n"] * 2
    assert catalogue.search().total == 31


# Holds


def test_release_expired_gives_back_what_nobody_may_keep(product: Product, later: Callable[..., None]):
    reservations.reserve("alice", product.id, quantity=3)
    later(hours=1)
    reservations.reserve("bob", product.id, quantity=2)
    later(hours=1, minutes=1)

    printed = [run("release_expired"), run("release_expired")]

    assert [line.split()[4] for line in printed] == ["1", "0"]
    assert (catalogue.find(product.id).reserved, catalogue.find(product.id).available) == (2, 8)


# Accounts


def test_create_account_opens_a_customers_account():
    printed = run("create_account", "alice@example.com", "--name", "Alice")

    user = accounts.authenticate("alice@example.com", PASSWORD)
    assert (user.name, user.is_admin) == ("Alice", False)
    assert "alice@example.com can log in now." in printed
    assert PASSWORD not in printed


def test_create_account_opens_an_admins_account():
    run("create_account", "dana@example.com", "--admin")

    assert accounts.authenticate("dana@example.com", PASSWORD).is_admin


def test_create_account_leaves_an_account_alone_that_is_there(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACCOUNT_PASSWORD", "another horse 2")

    printed = run("create_account", "Alice@Example.com", "--admin")

    assert "has an account already" in printed
    assert not accounts.find(alice.id).is_admin
    assert accounts.authenticate("alice@example.com", PASSWORD).id == alice.id


@pytest.mark.parametrize("password", ["short", "12345678901", "password"])
def test_create_account_refuses_a_weak_password(monkeypatch: pytest.MonkeyPatch, password: str):
    monkeypatch.setenv("ACCOUNT_PASSWORD", password)

    with pytest.raises(CommandError):
        run("create_account", "alice@example.com")

    assert accounts.find_by_email("alice@example.com") is None


def test_create_account_refuses_a_password_that_nobody_could_log_in_with(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACCOUNT_PASSWORD", "correct horse " * 400)

    with pytest.raises(CommandError):
        run("create_account", "alice@example.com")

    assert accounts.find_by_email("alice@example.com") is None


@pytest.mark.parametrize("email", ["", "alice", "alice@", "@example.com", "a b@example.com", "alice@example.com\n"])
def test_create_account_refuses_what_is_no_address(email: str):
    with pytest.raises(CommandError):
        run("create_account", email)


def test_create_account_asks_for_the_password_where_none_is_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ACCOUNT_PASSWORD")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "typed horse 3")

    run("create_account", "alice@example.com")

    assert accounts.authenticate("alice@example.com", "typed horse 3")


def test_create_admin_opens_an_admins_account():
    printed = run("create_admin", "dana@example.com", "--name", "Dana")

    user = accounts.authenticate("dana@example.com", PASSWORD)
    assert (user.name, user.is_admin) == ("Dana", True)
    assert "can log in now" in printed


def test_reset_second_factor_lets_it_be_set_up_anew(dana: User):
    with pytest.raises(CommandError, match="has no second factor"):
        run("reset_second_factor", "dana@example.com")
    before = second_factor.begin(dana.id).secret

    printed = run("reset_second_factor", "dana@example.com")

    assert second_factor.begin(dana.id).secret != before
    assert "sets up a new second factor" in printed


def test_disable_account_closes_it_and_opens_it_again(alice: User):
    closed = run("disable_account", "Alice@example.com")
    assert accounts.authenticate("alice@example.com", PASSWORD) is None

    opened = run("disable_account", "alice@example.com", "--undo")

    assert accounts.authenticate("alice@example.com", PASSWORD).id == alice.id
    assert ("cannot log in" in closed, "can log in again" in opened) == (True, True)


def test_change_role_makes_an_admin_and_unmakes_one(alice: User):
    run("change_role", "alice@example.com", "admin")
    assert accounts.find(alice.id).is_admin

    run("change_role", "alice@example.com", "user")

    assert not accounts.find(alice.id).is_admin


@pytest.mark.parametrize("command", [["disable_account"], ["change_role"]])
def test_a_command_for_an_account_says_when_there_is_none_or_no_answer(alice: User, command: list[str], pauses):
    rest = ["admin"] if command == ["change_role"] else []

    with pytest.raises(CommandError, match="has no account"):
        run(*command, "nobody@example.com", *rest)
    with wire.losing_requests(times=99), pytest.raises(CommandError, match="did not answer"):
        run(*command, "alice@example.com", *rest)


# Progress


STEPS = [Progress("hats", 1, 2), Progress("hats", 2, 2), Progress("shoes", 7)]


def show(steps: list[Progress], out: io.StringIO) -> str:
    progress.show(steps, OutputWrapper(out))
    return out.getvalue()


def test_progress_in_a_file_is_the_last_of_each_kind():
    assert show(STEPS, io.StringIO()) == "  hats: 2 of 2\n  shoes: 7 brought up to date\n"


def test_progress_in_a_terminal_is_a_bar_on_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "_EVERY_SECONDS", 0)

    lines = show([*STEPS, Progress("gloves", 0, 0)], Terminal()).replace("\r\033[K", "\n").splitlines()

    assert lines == [
        "",
        f"  hats [{'#' * 15}{'.' * 15}] 1 of 2",
        f"  hats [{'#' * 30}] 2 of 2",
        "  hats: 2 of 2",
        "",
        "  shoes: 7",
        "  shoes: 7 brought up to date",
        "",
        "  gloves: 0",
        "  gloves: 0 of 0",
    ]


def test_progress_in_a_terminal_draws_no_more_than_anybody_sees():
    printed = show([Progress("hats", done, 10_000) for done in range(10_000)], Terminal())

    assert printed.count("[#") + printed.count("[.") < 1_000


def test_progress_of_nothing_says_nothing():
    assert show([], Terminal()) == ""


@pytest.mark.parametrize("command", ["create_tables", "upgrade_tables", "release_expired"])
def test_commands_do_not_check_the_whole_project_first(monkeypatch: pytest.MonkeyPatch, command: str):
    """They run before the shop can: in a container that has only just started."""
    monkeypatch.setattr("django.core.management.base.BaseCommand.check", pytest.fail)

    execute_from_command_line(["manage.py", command])

    assert all(model.exists() for model in tables.tables())


def test_a_sweep_says_in_a_sentence_that_the_database_did_not_answer():
    with wire.losing_requests("Query", times=99), pytest.raises(CommandError, match="run the command again"):
        run("release_expired")


def test_create_account_says_in_a_sentence_that_the_database_did_not_answer(monkeypatch, pauses):
    monkeypatch.setenv("ACCOUNT_PASSWORD", "Langes-Wort-99")

    with wire.losing_requests(times=99), pytest.raises(CommandError, match="run the command again"):
        run("create_account", "x@example.com")
