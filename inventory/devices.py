"""What somebody recognises a device of theirs by: "Firefox, Windows"."""

import re

# The first that fits: nearly all browsers say that they are several.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/|\bOpera\b"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"\bChrome/|\bCriOS/|\bChromium/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMacintosh\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)
_READ = 500


def name(user_agent: str) -> str:
    """Browser and system, as far as they are known; empty where neither is."""
    said = user_agent[:_READ]
    found = [next((name for name, sign in signs if re.search(sign, said)), "") for signs in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found))
