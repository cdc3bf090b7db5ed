"""A stage of the shop from nothing to nothing, by the commands that an operator types.

The tests are the chapters of one story and run in the order in which they stand here: each finds what those before it
have left. Whatever talks to AWS here does so over https, under AWS's names, and has only the rights of its role.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect
from requests import Response

from tests.e2e.visitor import PASSWORD, new_email
from tests.rehearsal import inventory
from tests.rehearsal.aws import Aws
from tests.rehearsal.conftest import Outside, StageVisitor
from tests.rehearsal.operators import MAIL_FROM, STAGE, Operator

FUNCTION = f"ecokart-{STAGE}"
CARTS, PRODUCTS = f"{FUNCTION}-carts", f"{FUNCTION}-products"
SECOND = "Zweite Fassung"
Come = Callable[[], StageVisitor]


@pytest.fixture(scope="module")
def orders() -> list[str]:
    """The numbers of what was bought, for later chapters."""
    return []


# It is there


def test_one_command_brings_a_stage_to_aws_and_looks_at_every_kind_of_page(first: str) -> None:
    seen = dict(reversed(line.split(maxsplit=1)) for line in first.splitlines() if re.match("  (good|wrong) ", line))

    assert seen.keys() >= {"home", "list", "search", "cart", "log-in", "information", "not found", "staff only"}
    assert set(seen.values()) == {"good"}


def test_the_function_is_what_the_settings_say(aws: Aws, first: str) -> None:
    settings = aws.client("lambda").get_function_configuration(FunctionName=FUNCTION)

    assert (settings["Runtime"], settings["MemorySize"], settings["Timeout"]) == ("python3.13", 1024, 30)
    assert settings["Handler"] == "ecokart.aws.handler.handler"
    assert settings["TracingConfig"] == {"Mode": "Active"}
    assert settings["Role"].endswith(f":role/{FUNCTION}")


def test_the_limit_of_requests_is_bound_to_the_gateway(aws: Aws, address: str) -> None:
    api = re.findall(r"https://(\w+)\.", address)[0]
    arn = f"arn:aws:apigateway:eu-central-1::/restapis/{api}/stages/{STAGE}"

    firewall = aws.client("wafv2").get_web_acl_for_resource(ResourceArn=arn)["WebACL"]

    assert firewall["Name"] == FUNCTION
    assert firewall["Rules"][0]["Statement"]["RateBasedStatement"]["Limit"] == 100


def test_a_second_deployment_with_another_key_would_log_everybody_out_and_is_refused(operator: Operator) -> None:
    done = operator.deploys(SECRET_KEY="another-" + "x" * 60)

    assert done.returncode != 0
    assert "everybody would be logged out" in done.stdout


# From outside, byte by byte


@pytest.mark.parametrize("path", ["/", "/products/", "/products/?q=schuh", "/cart/", "/account/login/", "/nowhere/"])
def test_every_link_keeps_the_stages_prefix(outside: Outside, path: str) -> None:
    page = outside.see(path)

    links = re.findall(r'\b(?:href|src|action)="(/[^"]*)"', page.text)
    assert links
    assert [link for link in links if not link.startswith(f"/{STAGE}/")] == []


def test_pages_arrive_compressed_and_whole(outside: Outside) -> None:
    page = outside.see("/products/")

    assert page.headers["Content-Encoding"] == "gzip"
    assert page.text.endswith("</html>\n")
    assert "Morgenrunde" in page.text


def test_static_files_and_pictures_arrive_whole_from_the_bucket(outside: Outside) -> None:
    page = outside.see("/products/").text

    style = outside.get(re.findall(r'href="(https://[^"]+/css/base\.\w+\.css)"', page)[0])
    picture = outside.get(re.findall(r'src="(https://[^"]+\.jpg)"', page)[0])

    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["Cache-Control"]
    assert "{" in style.text
    assert Image.open(io.BytesIO(picture.content)).width == 400


def test_logging_in_sets_each_cookie_once_for_https_only_and_leads_on_within_the_stage(outside: Outside) -> None:
    answer = log_in(outside)

    cookies = answer.raw.headers.getlist("Set-Cookie")
    names = [cookie.partition("=")[0] for cookie in cookies]
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"/{STAGE}/")
    assert sorted(names) == sorted(set(names))
    assert {"__Host-sessionid", "__Host-csrftoken"} <= set(names)
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)
    # What a browser demands of such a name: all paths, although the shop is only at one of them.
    assert all("Path=/;" in f"{cookie};" and "Domain" not in cookie for cookie in cookies)
    assert outside.see("/account/").status_code == 200


def test_a_mail_leaves_by_ses_and_its_link_leads_back_into_the_stage(aws: Aws, outside: Outside) -> None:
    """As docs/deploy.md says: SES knows the address that mails come from, and writes to everybody.

    From another address the role would let no mail leave.
    """
    aws.client("ses").verify_email_identity(EmailAddress=MAIL_FROM)
    aws.client("sesv2").put_account_details(
        MailType="TRANSACTIONAL", WebsiteURL="https://shop.example/", ProductionAccessEnabled=True
    )
    email = new_email("alice")

    outside.submit("/account/register/", name="Alice", email=email, password=PASSWORD, password_again=PASSWORD)

    (mail,) = [one for one in aws.mails() if one["To"] == [email]]
    link = re.findall(rf"{re.escape(outside.address)}\S+", mail["BodyText"])[0]
    page = outside.get(link)
    assert (page.status_code, email in page.text) == (200, True)


def log_in(outside: Outside) -> Response:
    """To an account that is opened for it."""
    email = new_email("alice")
    outside.submit("/account/register/", name="Alice", email=email, password=PASSWORD, password_again=PASSWORD)
    return outside.submit("/account/login/", email=email, password=PASSWORD)


def test_the_function_may_do_only_what_its_role_says(aws: Aws, outside: Outside) -> None:
    """If taking a right away changed nothing here, the rehearsal would prove nothing about rights."""
    iam, denied = aws.client("iam"), {"Effect": "Deny", "Action": "dynamodb:Query", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    log_in(outside)
    before = outside.see("/orders/").status_code

    iam.put_role_policy(RoleName=FUNCTION, PolicyName="denied", PolicyDocument=policy)
    without = outside.see("/orders/").status_code
    iam.delete_role_policy(RoleName=FUNCTION, PolicyName="denied")

    assert (before, outside.see("/orders/").status_code) == (200, 200)
    assert without >= 500


# In a browser


def test_a_page_has_its_font_drawings_and_scripts(new_visitor: Come) -> None:
    visitor = new_visitor()
    visitor.open("/products/")
    page = visitor.page

    assert page.evaluate("document.fonts.ready.then(fonts => [...fonts].some(font => font.status === 'loaded'))")
    assert page.locator("svg.icon").first.evaluate("icon => icon.getBBox().width") > 0
    assert page.locator("main article img").first.evaluate("picture => picture.decode().then(() => true)")
    assert visitor.faults == []


def test_a_customer_buys_and_an_admin_ships_the_order(new_visitor: Come, orders: list[str]) -> None:
    alice, dana = new_visitor(), new_visitor()
    alice.registers(new_email("alice"))
    alice.open("/products/?q=morgenrunde")
    alice.page.locator("main article").get_by_role("link", name="Morgenrunde").first.click()
    alice.press("Add to cart")
    alice.is_at("/cart/")
    number = alice.buys()
    orders.append(number)

    dana.logs_in_as_admin()
    dana.open("/admin/orders/?status=pending")
    dana.follow(number)
    dana.press("Mark as paid")
    dana.fill(tracking="00340434161094042557")
    dana.press("Mark as shipped")
    dana.is_at("/admin/orders/.+")

    alice.open("/orders/")
    alice.follow(number)
    alice.sees("00340434161094042557")
    assert alice.faults + dana.faults == []


def test_a_picture_that_an_admin_uploads_is_shown(new_visitor: Come, tmp_path: Path) -> None:
    Image.new("RGB", (1000, 800), "seagreen").save(tmp_path / "rope.png")
    dana = new_visitor()
    dana.logs_in_as_admin()
    dana.open("/admin/products/new/")
    dana.fill(name="Springseil Kreisel", description="Ein Seil.", price="19,99", category="equipment", status="active")
    dana.page.locator("input[type=file]").set_input_files(tmp_path / "rope.png")

    dana.press("Create product")
    dana.is_at("/admin/products/prod-")

    visitor = new_visitor()
    visitor.finds(f"/products/{re.findall(r'/products/([^/]+)/', dana.page.url)[0]}/", "Sold out")
    shown = visitor.page.get_by_role("img", name="Springseil Kreisel").first
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("picture => picture.naturalWidth") > 0


# By the clock


def test_a_schedule_calls_the_function(aws: Aws, first: str) -> None:
    rules = {rule["Name"]: rule for rule in aws.client("events").list_rules(NamePrefix=FUNCTION)["Rules"]}

    assert {name.removeprefix(f"{FUNCTION}-"): rule["ScheduleExpression"] for name, rule in rules.items()} == {
        "release_expired": "rate(5 minutes)",
        "send_mails": "rate(5 minutes)",
        "prove_stock": "cron(30 2 * * ? *)",
    }
    for name in rules:
        (target,) = aws.client("events").list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"].endswith(f":function:{FUNCTION}")


def test_what_an_expired_cart_holds_is_given_back_when_the_schedule_calls(aws: Aws, outside: Outside) -> None:
    product = re.findall(rf"/{STAGE}/products/(prod-[\w-]+)/", outside.see("/products/?in_stock=1").text)[0]
    outside.submit(f"/products/{product}/", to="/cart/add/", product_id=product, quantity=1)
    assert reserved(aws, product) == 1

    make_carts_expire(aws)
    answer = call_as_the_schedule(aws, "release_expired")

    assert answer == {"release_expired": {"released": 1}}
    assert reserved(aws, product) == 0
    assert "Your reservation has ended" in outside.see("/cart/").text


def test_the_stock_is_proved_when_the_schedule_calls(aws: Aws, address: str) -> None:
    answer = call_as_the_schedule(aws, "prove_stock")["prove_stock"]

    assert answer["products"] >= 31
    assert answer["wrong"] == 0


def reserved(aws: Aws, product: str) -> int:
    key = {"id": {"S": product}}
    item = aws.client("dynamodb").get_item(TableName=PRODUCTS, Key=key, ConsistentRead=True)["Item"]
    return int(item["reserved"]["N"])


def make_carts_expire(aws: Aws) -> None:
    """As if their time had passed: nobody waits for two hours here."""
    client = aws.client("dynamodb")
    for cart in client.scan(TableName=CARTS)["Items"]:
        if "expiresAt" in cart:
            past = "2020" + cart["expiresAt"]["S"][4:]
            client.update_item(
                TableName=CARTS,
                Key={"userId": cart["userId"]},
                UpdateExpression="SET expiresAt = :past",
                ExpressionAttributeValues={":past": {"S": past}},
            )


def call_as_the_schedule(aws: Aws, task: str) -> Any:
    rule = f"arn:aws:events:eu-central-1:000000000000:rule/{FUNCTION}-{task}"
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "resources": [rule], "detail": {}, "kwargs": {}}
    called = aws.client("lambda").invoke(FunctionName=FUNCTION, Payload=json.dumps(event).encode())
    answer = json.loads(called["Payload"].read())
    assert "FunctionError" not in called, answer
    return answer


# The next version, and back


def test_the_next_version_replaces_the_first_and_keeps_all_data(
    operator: Operator, outside: Outside, new_visitor: Come, orders: list[str]
) -> None:
    page = operator.checkout / "templates" / "shop" / "info" / "en" / "imprint.html"
    page.write_text(f"{page.read_text(encoding='utf-8')}<p>{SECOND}</p>\n", encoding="utf-8")
    refused = operator.deploys()
    operator.commit("Another version")

    # From here on the key is the one that the stage has: an operator need not give it again.
    done = operator.deploys(SECRET_KEY="")

    assert refused.returncode != 0
    assert "imprint.html" in refused.stdout
    assert done.returncode == 0, done.stdout
    assert SECOND in outside.see("/info/imprint/").text
    assert orders_of_the_admin(new_visitor) >= set(orders)


def test_rolling_back_brings_the_first_version_back_and_keeps_all_data(
    operator: Operator, outside: Outside, new_visitor: Come, orders: list[str]
) -> None:
    done = operator.types("rollback")

    assert done.returncode == 0, done.stdout
    assert SECOND not in outside.see("/info/imprint/").text
    assert orders_of_the_admin(new_visitor) >= set(orders)


def orders_of_the_admin(new_visitor: Come) -> set[str]:
    dana = new_visitor()
    dana.logs_in_as_admin()
    dana.open("/admin/orders/")
    return set(re.findall(r"EK-\w{4}-\w{4}", dana.page.locator("main").inner_text()))


def test_all_stock_is_right_after_that(operator: Operator, first: str) -> None:
    done = operator.types("manage", RUN="prove_stock")

    assert done.returncode == 0, done.stdout
    assert "All stock is right" in done.stdout


# It is gone


def test_nothing_is_destroyed_for_a_wrong_name(operator: Operator, outside: Outside) -> None:
    done = operator.types("destroy", answer="production\n")

    assert done.returncode != 0
    assert "Nothing was deleted" in done.stdout
    assert outside.see("/healthz").status_code == 200


def test_destroying_the_stage_leaves_nothing(operator: Operator, first: str, aws: Aws, before: set[str]) -> None:
    done = operator.types("destroy", answer=f"{STAGE}\n")

    assert done.returncode == 0, done.stdout
    assert f"Nothing is left of stage {STAGE}." in done.stdout
    assert inventory.everything(aws) == before
