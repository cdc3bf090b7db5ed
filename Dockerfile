# The shop as a container: the same steps as in README.md.
#   docker run -p 8080:8080 --env-file .env ecokart
# It holds no secret and no data: both come from the environment.

FROM python:3.13-slim AS packages
COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --no-warn-script-location --prefix=/packages -r requirements.txt


FROM python:3.13-slim AS static
COPY --from=packages /packages /usr/local
WORKDIR /shop
COPY . .
# A key of this one command: it is in no layer of the image and signs nothing.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_hex(32))')" python manage.py collectstatic --noinput


FROM python:3.13-slim
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=ecokart.settings \
    PORT=8080 \
    WEB_CONCURRENCY=2
COPY --from=packages /packages /usr/local
WORKDIR /shop
COPY --from=static /shop .
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin shop
USER shop
EXPOSE 8080
# Asked as the proxy in front would: by a name that the shop answers to, and for https.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(web.Request(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", headers={'Host': os.environ['ALLOWED_HOSTS'].split(',')[0].strip().replace('*', 'localhost').lstrip('.'), 'X-Forwarded-Proto': 'https'}), timeout=4)"]
CMD ["gunicorn", "--config=python:ecokart.server", "ecokart.wsgi"]
