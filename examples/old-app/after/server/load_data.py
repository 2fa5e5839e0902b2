"""Load the stored values of the old platform: python load_data.py < data.jsonl

Each line is {"user": "…", "data": {"key": "value"}}. It can be run again: the same values are written again.
"""

import json
import sys
import time
import urllib.error

import signed

for line in sys.stdin:
    record = json.loads(line)
    pairs = list(record["data"].items())
    while pairs:
        try:
            # At most 99 pairs fit in a request.
            signed.ask("PUT", "/appdata/@me/@self/@app", record["user"], dict(pairs[:99]))
            pairs = pairs[99:]
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise SystemExit("%s: %s" % (record["user"], error.read().decode())) from error
            time.sleep(int(error.headers.get("Retry-After", 1)))
