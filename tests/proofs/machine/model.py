"""A shop too simple to be wrong. A line is (quantity, price); a new offer: what was shown before cannot be ordered."""

LINE_MAX, CART_MAX, HOLD = 5, 2, 2 * 60 * 60
STEPS = {"": ["pending"], "pending": ["paid", "cancelled"], "paid": ["shipped", "cancelled"], "shipped": ["delivered"]}


def refuse(*kind_and_numbers: str | int, when: bool) -> None:
    if when:
        raise LookupError(*kind_and_numbers)


class Shop:
    def __init__(self, stock: dict[str, int], *, price: int, owners: tuple[str, ...]) -> None:
        self.now, self.orders = 0, {}
        self.carts = {owner: {"lines": {}, "until": 0, "offer": None} for owner in owners}
        self.products = {p: {"stock": n, "price": price, "status": "active", "version": 1} for p, n in stock.items()}

    def live(self, owner: str) -> bool:
        return self.carts[owner]["until"] > self.now

    def held(self, product: str, *owners: str) -> int:
        return sum(self.carts[owner]["lines"].get(product, (0,))[0] for owner in owners if self.live(owner))

    def available(self, product: str) -> int:
        return self.products[product]["stock"] - self.held(product, *self.carts)

    def most(self, product: str, *owners: str) -> int:
        return self.held(product, *owners) + self.available(product) * (self.products[product]["status"] == "active")

    def affordable(self, lines: dict, *owners: str) -> dict:
        return {p: (min(n, self.most(p, *owners)), price) for p, (n, price) in lines.items() if self.most(p, *owners)}

    def priced(self, owner: str) -> dict:
        now = min if self.live(owner) else lambda _then, today: today
        return {p: (n, now(then, self.products[p]["price"])) for p, (n, then) in self.carts[owner]["lines"].items()}

    def write(self, owner: str, lines: dict, *, held: bool) -> None:
        self.carts[owner] = {"lines": lines, "until": self.now + HOLD if held and lines else 0, "offer": object()}

    def put(self, owner: str, product: str, quantity: int) -> None:
        lines, goods = self.priced(owner), self.products[product]
        more, free = quantity - self.held(product, owner), self.available(product)
        refuse("TooMany", LINE_MAX, when=quantity > LINE_MAX)
        refuse("TooManyLines", CART_MAX, when=product not in lines and len(lines) == CART_MAX)
        refuse("NotForSale", when=more > 0 and goods["status"] != "active")
        refuse("OutOfStock", free, when=more > free)
        others = self.carts[owner]["lines"] if self.live(owner) else self.affordable(lines, owner)
        self.write(owner, {**others, product: (quantity, lines.get(product, (0, goods["price"]))[1])}, held=True)

    def reserve(self, owner: str, product: str, quantity: int) -> None:
        refuse("NoSuchProduct", when=self.products[product]["status"] == "draft")
        self.put(owner, product, quantity + self.carts[owner]["lines"].get(product, (0,))[0])

    def remove(self, owner: str, product: str) -> None:
        lines = self.carts[owner]["lines"].items()
        self.write(owner, {p: line for p, line in lines if p != product}, held=self.live(owner))

    def extend(self, owner: str) -> None:
        refuse("HoldExpired" if self.carts[owner]["lines"] else "CartEmpty", when=not self.live(owner))
        self.carts[owner]["until"] = self.now + HOLD

    def renew(self, owner: str) -> None:
        refuse("CartEmpty", when=not self.carts[owner]["lines"])
        self.write(owner, self.affordable(self.priced(owner), owner), held=True)

    def join(self, guest: str, user: str) -> None:
        held, lines = self.live(guest) or self.live(user), self.priced(user)
        for p, (n, price) in self.priced(guest).items():
            lines[p] = (min(LINE_MAX, n + lines.get(p, (0,))[0]), min(price, lines.get(p, (0, price))[1]))
        kept = dict([*lines.items()][:CART_MAX])
        self.write(user, self.affordable(kept, guest, user) if held else kept, held=held)
        self.write(guest, {}, held=False)

    def checkout(self, owner: str, offer: object) -> None:
        lines, shown = self.priced(owner), offer == self.carts[owner]["offer"]
        if owner == self.orders.get(offer, {}).get("owner"):
            return
        why = "CartEmpty" if not lines else "HoldExpired" if shown else "CartChanged"
        refuse(why, when=not shown or not self.live(owner))
        self.write(owner, {}, held=False)
        self.orders[offer] = {"owner": owner, "lines": lines, "status": ""}
        self.step(offer, "pending")

    def step(self, offer: object, to: str) -> None:
        refuse("NotPossible", when=to not in STEPS.get(self.orders[offer]["status"], []))
        self.orders[offer]["status"] = to
        for p, (n, _) in self.orders[offer]["lines"].items():
            self.products[p]["stock"] += {"pending": -n, "cancelled": n}.get(to, 0)

    def adjust(self, product: str, by: int, *, free: int) -> None:
        refuse("StockTooLow", free, self.products[product]["stock"] - free, when=free + by < 0)
        self.products[product]["stock"] += by

    def edit(self, product: str, version: int, **fields: object) -> None:
        refuse("ProductChanged", when=version != self.products[product]["version"])
        news = dict(fields.items() - self.products[product].items())
        self.products[product].update(news, version=version + bool(news))

    def look(self, owner: str) -> dict:
        if self.live(owner) and self.priced(owner) != self.carts[owner]["lines"]:
            self.carts[owner].update(lines=self.priced(owner), offer=object())
        return self.priced(owner)
