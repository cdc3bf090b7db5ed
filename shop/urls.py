"""The addresses of the shop."""

from django.urls import path

from shop.views import (
    account,
    addresses,
    cart,
    catalogue,
    checkout,
    email,
    info,
    orders,
    passwords,
    personal_data,
    registration,
)

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
    path("account/register/", registration.register, name="register"),
    path("account/verify/", registration.verify, name="verify"),
    path("account/verify/again/", registration.verify_again, name="verify-again"),
    path("account/password/", passwords.password_change, name="password-change"),
    path("account/password/forgotten/", passwords.password_forgotten, name="password-forgotten"),
    path("account/password/reset/", passwords.password_reset, name="password-reset"),
    path("account/email/", email.email_change, name="email-change"),
    path("account/email/confirm/", email.email_confirm, name="email-confirm"),
    path("account/addresses/", addresses.address_list, name="address-list"),
    path("account/addresses/new/", addresses.address_new, name="address-new"),
    path("account/addresses/<key:address_id>/", addresses.address_edit, name="address-edit"),
    path("account/addresses/<key:address_id>/default/", addresses.address_default, name="address-default"),
    path("account/addresses/<key:address_id>/remove/", addresses.address_remove, name="address-remove"),
    path("account/data/", personal_data.data_export, name="data-export"),
    path("account/delete/", personal_data.account_delete, name="account-delete"),
    path("account/login/", account.login, name="login"),
    path("account/logout/", account.logout, name="logout"),
    path("account/sessions/end/", account.session_end, name="session-end"),
    path("account/sessions/end-all/", account.session_end_all, name="session-end-all"),
    path("info/<slug:slug>/", info.info, name="info"),
]
