"""Whether the stock is right: every promise of docs/reservations.md, computed again from carts, orders and movements.

``books`` reads all tables once; whoever does not add up there is a suspect, because the shop goes on meanwhile.
``looks`` looks at suspects until they are seen at one moment, several times; ``judging`` says what is wrong with what
was seen; ``repairs`` puts right what can be; ``proving`` is all of it in order, and remembers the result.
"""
