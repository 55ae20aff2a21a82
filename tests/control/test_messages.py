import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sagehound.control.messages import post, send_mail
from tests.control.mail_server import mail_server


def test_a_mail_with_a_login():
    with mail_server() as server:
        send_mail(f"smtp://me%40here:secret@{server.place}?from=dogs@here.org", "you@there.org", "one\nline", "text é")
    (mail,) = server.mails
    assert server.logins == [["me@here", "secret"]]
    assert "From: dogs@here.org" in mail
    assert "To: you@there.org" in mail
    assert "Subject: one line" in mail


def test_the_sender_is_the_user_where_none_is_given():
    with mail_server() as server:
        send_mail(f"smtp://me%40here.org:x@{server.place}", "you@there.org", "s", "t")
        send_mail(f"smtp://{server.place}", "you@there.org", "s", "t")
    assert ["From: me@here.org" in mail for mail in server.mails] == [True, False]
    assert "From: sagehound@127.0.0.1" in server.mails[1]


def test_a_refusal_is_an_error():
    with mail_server() as server, pytest.raises(OSError, match="no such box"):
        send_mail(f"smtp://{server.place}", "nobody@there.org", "s", "t")


@pytest.mark.parametrize("status", [200, 500])
def test_post(status):
    got = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        if status == 200:
            post(url, {"rule": "Overfit"})
        else:
            with pytest.raises(OSError, match="500"):
                post(url, {"rule": "Overfit"})
        thread.join()
    assert got == [{"rule": "Overfit"}]
