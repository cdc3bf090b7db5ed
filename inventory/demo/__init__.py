"""The demo catalogue: its products, their pictures and the script that renders them."""
