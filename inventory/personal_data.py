"""Everything that the shop knows of one person, for that person."""

from __future__ import annotations

from typing import Any

from inventory import addresses, clock, dynamodb, orders
from inventory.models import Address, Cart, Line, Order, User


def export(user: User) -> dict[str, Any]:
    """As plain values: moments in ISO 8601 and UTC, amounts in whole cents."""
    cart = dynamodb.get(Cart, user.id)
    return {
        "exported_at": clock.now().isoformat(),
        "account": {
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "new_email": user.new_email,
            "verified_at": user.verified_at.isoformat() if user.verified_at else None,
            "created_at": user.created_at.isoformat(),
        },
        "addresses": [addresses.fields(one) for one in user.addresses],
        "sessions": [
            {"device": one.device, "since": one.since.isoformat(), "last_seen": one.seen.isoformat()}
            for one in user.sessions
        ],
        "cart": [_line(line) for line in cart.lines] if cart else [],
        "orders": [_order(order) for order in orders.all_for(user.id)],
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "status": order.status,
        "created_at": order.created_at.isoformat(),
        "total_cents": order.total_cents,
        "email": order.email,
        "address": _address(order.address) if order.address else None,
        "tracking": order.tracking,
        "lines": [_line(line) for line in order.items],
        "history": [{"status": step.status, "at": step.at.isoformat()} for step in order.history],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "price_cents": line.price_cents,
    }


def _address(address: Address) -> dict[str, str]:
    return {name: getattr(address, name) for name in ("name", "street", "postal_code", "city", "country")}
