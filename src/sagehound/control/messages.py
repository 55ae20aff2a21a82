"""Telling people of a finding: mail and webhook."""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_TIMEOUT_S = 10.0
_PORTS = {"smtp": 25, "smtps": 465}


def send_mail(url: str, address: str, subject: str, text: str) -> None:
    """Send a mail through the server at `url` (see `Settings.smtp`); OSError where that fails.

    Where the server offers to encrypt, the connection is encrypted before anything is said.
    """
    parts = urlsplit(url)
    user, host = unquote(parts.username or ""), parts.hostname or ""
    message = EmailMessage()
    sender = parse_qs(parts.query).get("from", [""])[0] or (user if "@" in user else f"sagehound@{host}")
    message["From"], message["To"], message["Subject"] = sender, address, " ".join(subject.split())
    message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain="sagehound")
    message.set_content(text)
    port = parts.port or _PORTS[parts.scheme]
    with _server(parts.scheme, host, port) as server:
        if user:
            server.login(user, unquote(parts.password or ""))
        server.send_message(message)


def _server(scheme: str, host: str, port: int) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=context)
    server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
    except BaseException:
        server.close()
        raise
    return server


def post(url: str, document: dict[str, Any]) -> None:
    """POST the document as JSON; OSError where it is not taken."""
    request = urllib.request.Request(
        url, json.dumps(document).encode(), {"Content-Type": "application/json", "User-Agent": "sagehound"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
            return
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
