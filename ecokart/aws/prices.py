"""What AWS charges, in US dollars without tax, in Europe (Frankfurt), eu-central-1. No price stands anywhere else.

As of 27 November 2026, written down from memory of the pages called "Pricing" of each service as they were in 2025:
after DynamoDB's prices were halved (November 2024) and since INIT is charged (August 2025). Those pages could not be
opened where this was written. Whoever compares them changes the date here.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000
THOUSAND = 1_000


@dataclass(frozen=True)
class Price:
    """So many dollars for ``per`` of something. ``free`` of them cost nothing in a month, in every account for good."""

    what: str
    dollars: float
    per: int = 1
    free: float = 0

    def of(self, amount: float, *, free: bool = False) -> float:
        """Dollars for an amount, with or without what is free."""
        return max(0.0, amount - (self.free if free else 0)) * self.dollars / self.per


# x86, up to the first billions of seconds. A GB is 1,024 MB of the function's memory, whatever it uses of it.
LAMBDA_CALL = Price("Lambda, calls", 0.20, MILLION, free=MILLION)
LAMBDA_GB_SECOND = Price("Lambda, GB-seconds", 16.6667, MILLION, free=400_000)
# REST. Accounts opened before July 2025 have a million free in each of their first twelve months.
GATEWAY_CALL = Price("API Gateway, calls", 3.70, MILLION)
# On demand, table class Standard.
WRITE_UNIT = Price("DynamoDB, write units", 0.7625, MILLION)
READ_UNIT = Price("DynamoDB, read units", 0.1525, MILLION)
TABLE_GB = Price("DynamoDB, GB kept", 0.306, free=25)
BACKUP_GB = Price("DynamoDB, GB in points of time", 0.2448)
BUCKET_GB = Price("S3, GB kept", 0.0245)
BUCKET_GET = Price("S3, files fetched", 0.43, MILLION)
BUCKET_PUT = Price("S3, files written", 5.40, MILLION)
# From S3 and from API Gateway together. Within a region nothing is charged.
TRANSFER_GB = Price("GB sent to the internet", 0.09, free=100)
FIREWALL = Price("WAF, the list", 5.00)
FIREWALL_RULE = Price("WAF, its rule", 1.00)
FIREWALL_CALL = Price("WAF, calls", 0.60, MILLION)
# Metrics are charged by the hour in which they are written, a month being 730 hours.
METRIC = Price("CloudWatch, metrics of our own", 0.30, free=10)
ALARM = Price("CloudWatch, alarms", 0.10, free=10)
DASHBOARD = Price("CloudWatch, dashboard", 3.00, free=3)
LOG_GB = Price("CloudWatch, GB of log written", 0.63, free=5)
LOG_GB_KEPT = Price("CloudWatch, GB of log kept", 0.0324)
TRACE = Price("X-Ray, traces", 5.00, MILLION, free=100_000)
MAIL = Price("SES, mails", 0.10, THOUSAND)

MEGABYTES_OF_A_GB = 1024


def of_request(*, read_units: float, write_units: float, ms: float, memory_megabytes: int) -> float:
    """Dollars for a request by itself: DynamoDB, and on Lambda (where it has memory) its call, time and gateway.

    What does not follow from one request is not in it: the firewall, logs, metrics, and what is sent to the internet.
    """
    database = READ_UNIT.of(read_units) + WRITE_UNIT.of(write_units)
    if not memory_megabytes:
        return database
    gb_seconds = memory_megabytes / MEGABYTES_OF_A_GB * ms / 1000
    return database + LAMBDA_CALL.of(1) + LAMBDA_GB_SECOND.of(gb_seconds) + GATEWAY_CALL.of(1)
