"""What mails say, and that they leave: after the request, or by a sweep, whatever the mail server does."""

from __future__ import annotations

import email
import logging
import re
from collections.abc import Callable
from email.message import Message
from typing import Any

import boto3
import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.test import Client
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from pytest_django.fixtures import Settings

from ecokart import letters, post
from inventory import accounts, checkout, dynamodb, mails, orders, reservations
from inventory.models import Address, Mail, Order, Product
from tests.unit import wire
from tests.unit.test_mails import stored, waiting, written

ADDRESS = {
    "name": "Alice <Adler>",
    "email": "alice@example.com",
    "street": "Ulmenweg 1 & 2",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}


@pytest.fixture
def order(product: Product) -> Order:
    """A guest's order that nobody has been told of yet."""
    cart = reservations.reserve("guest-1", product.id, quantity=2)
    return checkout.place_order("guest-1", token=str(cart.order_id), contact=checkout.Contact(**ADDRESS))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server is away."""

    def refuse(*_: Any) -> int:
        raise ConnectionRefusedError("alice@example.com is told nothing")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)


def buy(client: Client, product: Product) -> Any:
    client.post("/cart/add/", {"product_id": product.id, "quantity": 1})
    token = client.get("/checkout/").context["basket"].token
    return client.post("/checkout/", {**ADDRESS, "checkout_token": token})


# What they say


def test_the_confirmation_says_what_was_ordered_and_what_comes_now(order: Order) -> None:
    post.sweep()

    (sent,) = outbox.outbox
    assert sent.to == ["alice@example.com"]
    assert sent.subject == f"Wir haben Ihre Bestellung {order.number} erhalten"
    for text in ("Hallo Alice <Adler>,", "2 × Laufschuh Luchs: 199,98\xa0€", "Ulmenweg 1 & 2", "10115 Berlin"):
        assert text in sent.body
    assert "&amp;" not in sent.body
    assert "\n\n\n" not in sent.body


def test_the_page_of_a_mail_escapes_what_customers_type(order: Order) -> None:
    post.sweep()

    ((page, kind),) = outbox.outbox[0].alternatives
    assert kind == "text/html"
    assert "Alice &lt;Adler&gt;" in page
    assert "Alice <Adler>" not in page


@pytest.mark.parametrize("kind", sorted(letters.SUBJECTS))
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_kind_of_mail_has_a_text_and_a_page(order: Order, alice: Any, kind: str, language: str) -> None:
    about = {"order": order.id} if kind.startswith("order") else accounts.who(alice, state="state")
    mail = Mail("mail-1", kind=kind, to="alice@example.com", language=language, about=about)

    message = letters.message(mail)

    page = message.alternatives[0].content
    hello = "Hallo" if language == "de" else "Hello"
    assert message.body.startswith(hello)
    assert hello in page
    assert f'lang="{language}"' in page
    assert "%(" not in message.subject


def test_a_guests_link_opens_the_order_from_anywhere(client: Client, order: Order) -> None:
    post.sweep()

    (link,) = re.findall(rf"https://shop\.example(/orders/{order.id}/\S+)", outbox.outbox[0].body)

    assert client.get(f"/orders/{order.id}/").status_code == 404
    assert client.get(link).status_code == 200


def test_links_lead_to_the_fixed_address_whatever_the_request_says(
    client: Client, product: Product, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.SITE_URL = "https://shop.example/staging"

    client.defaults |= {"HTTP_HOST": "evil.example", "HTTP_X_FORWARDED_HOST": "evil.example", "SCRIPT_NAME": "/evil"}
    buy(client, product)

    (sent,) = outbox.outbox
    links = re.findall(r"https?://[^\s\"<]+", sent.body + sent.alternatives[0].content)
    assert len(links) > 4
    assert [link for link in links if not link.startswith("https://shop.example/staging/")] == []


@pytest.mark.parametrize("to", ["alice@example.com\nBcc: eve@example.com", "alice@example.com\r\n\r\nHello"])
def test_an_address_smuggles_no_header_in(order: Order, to: str) -> None:
    mail = Mail("mail-1", kind="order-placed", to=to, language="de", about={"order": order.id}, due_at=order.created_at)
    mail.save()

    assert post.send(mail.id) is False
    assert outbox.outbox == []


def test_a_mail_has_one_name_however_often_it_comes(order: Order) -> None:
    (mail,) = waiting()

    names = {letters.message(mail).extra_headers["Message-ID"] for _ in range(2)}

    assert names == {f"<{mail.id}@ecokart.example>"}


# That they leave


def test_a_customer_gets_the_mail_with_the_page(client: Client, product: Product) -> None:
    answer = buy(client, product)

    assert answer.status_code == 302
    assert [sent.subject for sent in outbox.outbox] == [
        f"Wir haben Ihre Bestellung {client.get(answer['Location']).context['order'].number} erhalten"
    ]
    assert waiting() == []


def test_what_an_admin_does_is_told_at_once(client: Client, order: Order, dana: Any, sign_in: Any) -> None:
    post.sweep()
    sign_in(client, dana)

    for status in ("paid", "shipped"):
        client.post(f"/admin/orders/{order.id}/status/", {"status": status, "tracking": "JD0141"})

    assert "JD0141" in outbox.outbox[-1].body
    assert len(outbox.outbox) == 2


def test_a_mail_server_that_is_away_is_none_of_the_customers_business(
    client: Client, product: Product, broken: None, caplog: pytest.LogCaptureFixture
) -> None:
    answer = buy(client, product)

    assert client.get(answer["Location"]).status_code == 200
    (mail,) = waiting()
    assert mail.tries == 1
    assert f"Mail {mail.id} (order-placed) could not be sent, try 1: ConnectionRefusedError." in caplog.text
    assert "alice@example.com" not in caplog.text


def test_what_could_not_be_sent_is_sent_by_a_later_sweep(
    order: Order, monkeypatch: pytest.MonkeyPatch, later: Callable[..., None]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", lambda *_: 1 / 0)
        assert post.sweep() == post.Swept(sent=0, failed=1)
    assert post.sweep() == post.Swept(sent=0, failed=0)

    later(minutes=2)

    assert post.sweep() == post.Swept(sent=1, failed=0)
    assert len(outbox.outbox) == 1
    assert waiting() == []


def test_a_mail_that_never_leaves_is_given_up_and_told(
    order: Order, broken: None, later: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(mails.TRIES + 2):
        post.sweep()
        later(hours=7)

    (mail,) = waiting()
    assert mail.due_at is None
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [f"Mail {mail.id} (order-placed) was given up after 10 tries" in error for error in errors] == [True]


def test_a_mail_about_what_is_gone_stops_nobody_elses(order: Order) -> None:
    gone = written("order-placed")

    assert post.sweep() == post.Swept(sent=1, failed=1)
    assert [mail.id for mail in waiting()] == [gone.id]


def test_a_database_that_goes_away_before_the_mail_is_no_error_page(client: Client, product: Product) -> None:
    with wire.losing_requests("UpdateItem", times=99):
        answer = buy(client, product)

    assert answer.status_code == 302
    assert [mail.tries for mail in waiting()] == [0]


def test_two_sweeps_at_once_send_a_mail_once(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = EmailBackend.send_messages

    def meanwhile(*args: Any) -> int:
        assert post.sweep() == post.Swept(sent=0, failed=0)
        return sent(*args)

    monkeypatch.setattr(EmailBackend, "send_messages", meanwhile)

    assert post.sweep().sent == 1
    assert len(outbox.outbox) == 1


def test_a_sweep_ends_before_its_time_is_up(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "SWEEP_SECONDS", -1.0)

    assert post.sweep() == post.Swept(sent=0, failed=0)
    assert len(waiting()) == 1


def test_without_an_address_of_the_shop_mails_wait(
    order: Order, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SITE_URL = ""

    post.sweep()

    assert [mail.tries for mail in waiting()] == [0]
    assert "SITE_URL is not set" in caplog.text


def test_looking_at_pages_asks_for_no_mail(client: Client, order: Order) -> None:
    with wire.heard() as calls:
        client.get("/orders/")

    assert [name for name, params in calls if "mails" in params.get("TableName", "")] == []


# The command


def test_the_command_sends_what_waits(order: Order, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("send_mails")

    assert capsys.readouterr().out == "Sent 1 mail(s); 0 could not be sent and wait for another try.\n"
    assert len(outbox.outbox) == 1


def test_the_command_begins_anew_with_what_was_given_up(order: Order) -> None:
    (mail,) = waiting()
    Mail(mail.id).update([Mail.tries.set(mails.TRIES), Mail.due_at.remove()])

    call_command("send_mails")
    assert stored(mail.id).due_at is None
    call_command("send_mails", parked=True)

    assert len(outbox.outbox) == 1


def test_the_command_says_when_the_database_is_away() -> None:
    with wire.losing_requests("Scan"), pytest.raises(CommandError, match="run the command again"):
        call_command("send_mails")


# Amazon SES


@pytest.fixture
def sent_by_ses(settings: Settings) -> Callable[[], list[Message]]:
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    boto3.client("ses", region_name="eu-central-1").verify_email_identity(EmailAddress="shop@ecokart.example")

    def sent() -> list[Message]:
        kept = ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages
        return [email.message_from_string(one.raw_data) for one in kept]

    return sent


def test_ses_takes_a_mail_with_umlauts_as_plain_ascii(sent_by_ses: Callable[[], list[Message]], order: Order) -> None:
    assert post.sweep().sent == 1

    (message,) = sent_by_ses()
    text, page = message.get_payload()
    assert message.as_string().isascii()
    assert message["To"] == "alice@example.com"
    assert message["From"] == "Ecokart <shop@ecokart.example>"
    assert "für Ihre Bestellung" in text.get_payload(decode=True).decode()
    assert "für Ihre Bestellung" in page.get_payload(decode=True).decode()


def test_a_customer_waits_for_ses_a_few_seconds_at_the_most(sent_by_ses: Callable[[], list[Message]]) -> None:
    backend: Any = outbox.get_connection()
    backend.open()

    waits = backend.client.meta.config
    assert (waits.connect_timeout, waits.read_timeout, waits.retries["total_max_attempts"]) == (1, 3, 1)
    assert backend.client.meta.region_name == "eu-central-1"


def test_what_ses_refuses_waits(sent_by_ses: Callable[[], list[Message]], order: Order, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Ecokart <somebody@else.example>"

    assert post.sweep() == post.Swept(sent=0, failed=1)
    assert sent_by_ses() == []
    assert orders.find(order.id) is not None
    assert dynamodb.get(Mail, waiting()[0].id) is not None


def test_a_name_that_looks_like_an_address_becomes_no_link(order: Order) -> None:
    order.update([Order.address.set(_named("Visit www.evil.example now https://evil.example/"))])
    mail = Mail("mail-1", kind="order-shipped", to="alice@example.com", language="en", about={"order": order.id})

    page = letters.message(mail).alternatives[0].content

    assert "evil.example" in page
    assert re.findall(r'href="([^"]+)"', page)
    assert [link for link in re.findall(r'href="([^"]+)"', page) if "evil" in link] == []
    assert page.count("<a ") == page.count('<a href="https://shop.example/')


def _named(name: str) -> Address:
    return Address(name=name, street="Ulmenweg 1", postal_code="10115", city="Berlin", country="DE")
