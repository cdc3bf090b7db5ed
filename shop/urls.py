"""The addresses of the shop."""

from django.urls import path

from shop.views import account, cart, catalogue, checkout, info, orders

# `key` is ecokart/converters.py.
app_name = "shop"
urlpatterns = [
    path("", catalogue.home, name="home"),
    path("products/", catalogue.product_list, name="product-list"),
    path("products/suggest/", catalogue.product_suggest, name="product-suggest"),
    path("products/<key:product_id>/", catalogue.product_detail, name="product-detail"),
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.cart_add, name="cart-add"),
    path("cart/update/", cart.cart_update, name="cart-update"),
    path("cart/remove/", cart.cart_remove, name="cart-remove"),
    path("cart/extend/", cart.cart_extend, name="cart-extend"),
    path("cart/reserve/", cart.cart_reserve, name="cart-reserve"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("orders/", orders.order_list, name="order-list"),
    path("orders/<key:order_id>/", orders.order_detail, name="order-detail"),
    path("orders/<key:order_id>/cancel/", orders.order_cancel, name="order-cancel"),
    path("account/", account.account, name="account"),
    path("account/register/", account.register, name="register"),
    path("account/login/", account.login, name="login"),
    path("account/logout/", account.logout, name="logout"),
    path("account/sessions/end/", account.session_end, name="session-end"),
    path("account/sessions/end-all/", account.session_end_all, name="session-end-all"),
    path("info/<slug:slug>/", info.info, name="info"),
]
