"""A service of time stamps on this machine: an HTTP server behind which `openssl ts -reply` stamps (RFC 3161)."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import threading
from copy import copy
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

POLICY = """
[tsa]
default_tsa = here
[here]
serial = {place}/serial
crypto_device = builtin
signer_cert = {place}/tsa.pem
certs = {place}/ca.pem
signer_key = {place}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
ess_cert_id_alg = sha256
"""
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*words: object, allows_failure: bool = False) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert allows_failure or done.returncode == 0, done.stderr
    return done


class Authority:
    """A throw-away certificate authority, and one who stamps by its word. `ca` is what a stranger believes."""

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.place, self.ca = place, place / "ca.pem"
        openssl("req", "-x509", *NEW_KEY, "-keyout", place / "ca.key", "-out", self.ca, "-subj", "/CN=Root", "-days", 2)
        openssl("req", *NEW_KEY, "-keyout", place / "tsa.key", "-out", place / "tsa.csr", "-subj", "/CN=Stamps")
        (place / "purpose").write_text("extendedKeyUsage = critical, timeStamping\n")
        by = ("-CA", self.ca, "-CAkey", place / "ca.key", "-CAcreateserial", "-extfile", place / "purpose")
        openssl("x509", "-req", "-in", place / "tsa.csr", *by, "-out", place / "tsa.pem", "-days", 2)
        (place / "serial").write_text("01\n")
        self._takes("sha256")

    def _takes(self, digests: str) -> None:
        (self.place / "tsa.cnf").write_text(POLICY.format(place=self.place, digests=digests))

    def which_takes(self, digests: str, place: Path) -> Authority:
        """The same authority, for other digests."""
        shutil.copytree(self.place, place)
        other = copy(self)
        other.place = place
        other._takes(digests)
        return other

    def reply(self, question: bytes) -> bytes:
        asked, answer = self.place / "question.tsq", self.place / "answer.tsr"
        asked.write_bytes(question)
        openssl("ts", "-reply", "-queryfile", asked, "-config", self.place / "tsa.cnf", "-out", answer)
        return answer.read_bytes()

    def question_about(self, data: bytes) -> bytes:
        """Somebody else's."""
        (self.place / "data").write_bytes(data)
        openssl("ts", "-query", "-data", self.place / "data", "-sha256", "-cert", "-out", self.place / "other.tsq")
        return (self.place / "other.tsq").read_bytes()

    def time_of(self, stamp: Path) -> datetime:
        """As openssl reads it."""
        said = openssl("ts", "-reply", "-in", stamp, "-text").stdout
        found = re.search(r"Time stamp: (.*) GMT", said)
        assert found is not None
        return datetime.strptime(found[1], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)

    def accepts(self, stamp: Path, data: Path) -> bool:
        """What a stranger finds who believes this authority."""
        words = ("ts", "-verify", "-data", data, "-in", stamp, "-CAfile", self.ca)
        return "Verification: OK" in openssl(*words, allows_failure=True).stdout


class Responder:
    """Answers each question by `authority`, or with what a test wants instead.

    Attributes
    ----------
    body
        Sent instead of a stamp.
    asks_instead
        The question that is answered instead of the one that came.
    hangs
        It never answers.
    """

    def __init__(self, authority: Authority, certificate: tuple[Path, Path] | None = None) -> None:
        self.authority, self.status, self.body = authority, 200, b""
        self.asks_instead = b""
        self.headers: dict[str, str] = {}
        self.hangs = False
        self.asked: list[tuple[str, str | None]] = []
        self._leaves = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}/tsr"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._leaves.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        responder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = self.rfile.read(int(self.headers["Content-Length"]))
                responder.asked.append((self.path, self.headers["Content-Type"]))
                if responder.hangs:
                    responder._leaves.wait()
                    return
                body = responder.body or responder.authority.reply(responder.asks_instead or question)
                self.send_response(responder.status)
                for name, value in responder.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                return

        return Handler
