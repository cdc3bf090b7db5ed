"""What gunicorn serves."""

import os

import django
from django.conf import settings

from ecokart import logs
from ecokart.requests import Shop

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecokart.settings")

if settings.LOG_JSON:
    logs.take_over()
django.setup(set_prefix=False)
application = Shop()
