"""Whether the shop is well, for load balancers and people who watch."""

from botocore.exceptions import BotoCoreError, ClientError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from pynamodb.exceptions import PynamoDBException

from inventory import dynamodb
from inventory.models import Product


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while this process answers; ``database`` says whether one small read came back."""
    try:
        dynamodb.get(Product, "healthz")
    except (dynamodb.Contention, PynamoDBException, BotoCoreError, ClientError):
        return JsonResponse({"status": "ok", "database": "unreachable"})
    return JsonResponse({"status": "ok", "database": "ok"})
