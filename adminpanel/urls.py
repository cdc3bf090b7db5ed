"""The addresses of the admin panel."""

from django.urls import path

from adminpanel.views import accounts, audit, dashboard, login, orders, products, second_factor, stock, stock_proof

# `key` is ecokart/converters.py.
app_name = "adminpanel"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("login/", login.login, name="login"),
    path("second-factor/", second_factor.second_factor, name="second-factor"),
    path("logout/", login.logout, name="logout"),
    path("products/", products.product_list, name="product-list"),
    path("products/new/", products.product_new, name="product-new"),
    path("products/<key:product_id>/", products.product_detail, name="product-detail"),
    path("products/<key:product_id>/archive/", products.product_archive, name="product-archive"),
    path("stock/", stock.stock_list, name="stock-list"),
    path("stock/proof/", stock_proof.stock_proof, name="stock-proof"),
    path("stock/<key:product_id>/", stock.stock_detail, name="stock-detail"),
    path("accounts/", accounts.account_find, name="account-find"),
    path("accounts/<key:account_id>/", accounts.account_detail, name="account-detail"),
    path("audit/", audit.audit_log, name="audit-log"),
    path("orders/", orders.order_list, name="order-list"),
    path("orders/export/", orders.order_export, name="order-export"),
    path("orders/<key:order_id>/", orders.order_detail, name="order-detail"),
    path("orders/<key:order_id>/status/", orders.order_status, name="order-status"),
]
