"""Sessions of users on the pages: how long they last, and how a list of them names the browser.

Source: NIST SP 800-63B-4, section 2.2.3 (reauthentication after at most 30 days at AAL1). Decision: 14 days.
"""

import re

SESSION_SECONDS = 14 * 86_400
"""The time from a sign-in to the end of its session."""
SEEN_MS = 3_600_000
"""A session is marked as used at most once in this time, so that most pages write nothing."""
MOST_SESSIONS = 100
"""The most sessions that a list shows."""

_BROWSERS = (
    ("Edge", re.compile(r"Edg(e|A|iOS)?/")),
    ("Opera", re.compile(r"OPR/|Opera")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/")),
    ("Firefox", re.compile(r"Firefox/|FxiOS/")),
    ("Chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("Safari", re.compile(r"Safari/")),
)
_SYSTEMS = (
    ("iPhone", re.compile(r"iPhone")),
    ("iPad", re.compile(r"iPad")),
    ("Android", re.compile(r"Android")),
    ("Windows", re.compile(r"Windows")),
    ("macOS", re.compile(r"Macintosh|Mac OS X")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("Linux", re.compile(r"Linux|X11")),
)


def device_words(user_agent: str) -> str:
    """Return the browser and system of a `User-Agent`, such as "Firefox, Windows"; "" for one that is not known.

    Only these words are stored: the whole header is personal and may have any length.
    """
    text = user_agent[:512]
    found = [next((name for name, sign in kinds if sign.search(text)), "") for kinds in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found))
