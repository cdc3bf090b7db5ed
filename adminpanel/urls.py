"""The addresses of the admin panel."""

from django.urls import path, register_converter

from adminpanel.views import dashboard, login, orders, products, stock


class ItemKeyConverter:
    """An id of a product or an order. What cannot be one is a page that does not exist: the database is not asked."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ItemKeyConverter, "item_key")

app_name = "adminpanel"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("login/", login.login, name="login"),
    path("logout/", login.logout, name="logout"),
    path("products/", products.product_list, name="product-list"),
    path("products/new/", products.product_new, name="product-new"),
    path("products/<item_key:product_id>/", products.product_detail, name="product-detail"),
    path("products/<item_key:product_id>/archive/", products.product_archive, name="product-archive"),
    path("stock/", stock.stock_list, name="stock-list"),
    path("stock/<item_key:product_id>/", stock.stock_detail, name="stock-detail"),
    path("orders/", orders.order_list, name="order-list"),
    path("orders/<item_key:order_id>/", orders.order_detail, name="order-detail"),
    path("orders/<item_key:order_id>/status/", orders.order_status, name="order-status"),
]
