"""SQL Browser: answers on UDP which port a named instance listens on ([MC-SQLR])."""

import contextlib
import socket
import threading

from local.sqlserver.wire import VERSION_TEXT


class Browser:
    """Knows instances by name; says nothing about others, or about any when `silent`."""

    def __init__(self, host: str, port: int, computer: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self.computer = computer
        self.instances: dict[str, int] = {}
        self.silent = False
        self.asked = 0
        self._thread = threading.Thread(target=self._serve, name="sql-browser", daemon=True)
        self._thread.start()

    def _entry(self, name: str) -> str:
        port = self.instances[name]
        return f"ServerName;{self.computer};InstanceName;{name};IsClustered;No;Version;{VERSION_TEXT};tcp;{port};;"

    def _answer(self, request: bytes) -> bytes | None:
        """The reply to one datagram; None is silence."""
        if request[:1] in (b"\x02", b"\x03"):
            text = "".join(self._entry(name) for name in self.instances)
        elif request[:1] == b"\x04":
            wanted = request[1:].split(b"\0")[0].decode("cp1252", "replace").casefold()
            text = "".join(self._entry(name) for name in self.instances if name.casefold() == wanted)
        else:
            return None
        data = text.encode("cp1252", "replace")
        return b"\x05" + len(data).to_bytes(2, "little") + data if data else None

    def _serve(self) -> None:
        while True:
            try:
                request, client = self._socket.recvfrom(2048)
            except OSError:  # closed: the server stops
                return
            if not request:
                if self._socket.fileno() < 0:
                    return
                continue
            self.asked += 1
            answer = None if self.silent else self._answer(request)
            if answer is not None:
                with contextlib.suppress(OSError):  # whoever asked may be gone
                    self._socket.sendto(answer, client)

    def close(self) -> None:
        """Stop answering."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes recvfrom
        self._socket.close()
        self._thread.join(5)
