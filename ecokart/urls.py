"""Every address: the shop's, the admin panel's, and a few of neither."""

from django.urls import include, path, register_converter
from django.views.i18n import set_language

from ecokart import converters, errors, health, icons

# Before the doors' addresses are read: both use it.
register_converter(converters.KeyConverter, "key")

urlpatterns = [
    # First, since its pages are asked for most.
    path("", include("shop.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("icons-<slug:digest>.svg", icons.icons, name="icons"),
    path("language/", set_language, name="set_language"),
    path("admin/", include("adminpanel.urls")),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
