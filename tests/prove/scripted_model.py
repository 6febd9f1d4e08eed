"""A model that says what a script says, over HTTP: recorded tool calls, faults, slow answers."""

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = dict[str, Any] | tuple[int, str] | Callable[[dict[str, Any]], dict[str, Any]]
"""An answer, a status with a fault's words, or what makes an answer from the request's body."""


def say(text: str, *, prompt: int = 100, output: int = 20) -> dict[str, Any]:
    """An answer in words."""
    return _answer({"role": "assistant", "content": text}, "stop", prompt, output)


def use(name: str, *, prompt: int = 100, output: int = 20, **arguments: Any) -> dict[str, Any]:
    """An answer that uses a tool."""
    call = {
        "id": f"call_{abs(hash((name, str(arguments)))) % 10**9}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    return _answer(message, "tool_calls", prompt, output)


def _answer(message: dict[str, Any], reason: str, prompt: int, output: int) -> dict[str, Any]:
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "prompt_tokens_details": {"cached_tokens": prompt // 2},
        },
    }


class ScriptedModel:
    """Answers one by one; after the last, the last again. A context manager; see `url`."""

    def __init__(self, script: Sequence[Reply], model: str = "scripted"):
        self.script, self.model = list(script), model
        self.asked: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ScriptedModel":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, {"object": "list", "data": [{"id": scripted.model}]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with scripted._lock:
                    number = len(scripted.asked)
                    scripted.asked.append(body)
                reply = scripted.script[min(number, len(scripted.script) - 1)]
                if isinstance(reply, tuple):
                    status, words = reply
                    self._send(status, {"error": {"message": words, "type": "scripted"}})
                else:
                    self._send(200, reply(body) if callable(reply) else reply)

            def _send(self, status: int, body: dict[str, Any]) -> None:
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
