"""What gunicorn serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from ecokart import logs
from ecokart.requests import Request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecokart.settings")

if settings.LOG_JSON:
    logs.take_over()
application = get_wsgi_application()
application.request_class = Request
