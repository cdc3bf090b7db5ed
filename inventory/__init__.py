"""The core: tables and rules. Knows nothing of HTTP, forms or templates."""
