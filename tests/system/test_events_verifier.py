"""The official verifier of Standard Webhooks for JavaScript accepts the messages of events."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from chalicelib.core.events import Event, EventKind, headers, new_event_id, new_signing_secret
from tests.kit.served import ROOT

NODE = ROOT / ".local" / "clients-node"
SCRIPT = """
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
const results = JSON.parse(readFileSync(0, "utf8")).map(({ secret, body, headers }) => {
  try {
    return { accepted: new Webhook(secret).verify(body, headers) };
  } catch (error) {
    return { refused: error.constructor.name };
  }
});
console.log(JSON.stringify(results));
"""


def test_the_verifier_of_npm_accepts_every_kind_and_both_secrets_of_a_rotation(tmp_path: Path) -> None:
    now, keys = int(time.time()), [new_signing_secret(), new_signing_secret()]
    asked, expected = [], []
    for kind in EventKind:
        data = {"user": "k3v9x2mtq7ra", "contentUri": "http://quest.example/縁側", "keys": ["a", "b"]}
        event = Event(new_event_id(now * 1000), "6d1f0c2ab4e79853", kind, "data/花", 3, now * 1000, data)
        sent, body = headers(event.id, event.message, keys, now), event.message.decode()
        for secret in keys:
            asked.append({"secret": secret, "body": body, "headers": sent})
            expected.append({"accepted": json.loads(body)})
        for wrong in (
            {"secret": new_signing_secret()},
            {"body": body + " "},
            {"headers": sent | {"webhook-id": new_event_id(now * 1000)}},
            {"headers": headers(event.id, event.message, keys, now - 3_600)},
        ):
            asked.append({"secret": keys[0], "body": body, "headers": sent} | wrong)
            expected.append({"refused": "WebhookVerificationError"})
    script = tmp_path / "verify.mjs"
    script.write_text(SCRIPT)
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    command = ["node", str(script)]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected
