"""The catalogue replicated into each process, so that no page waits for the database to be searched.

``listed`` is a product as lists show it, ``words`` what people mean by what they type, ``bits`` sets of positions,
``store`` the copy itself, ``tail`` how it is filled and kept fresh.
"""
