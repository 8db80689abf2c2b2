"""An SMTP server that takes everything and keeps nothing, for W7 where Postfix's `smtp-sink` is not installed.

`python -m hagukumi.bench.sink PORT`. Offers PIPELINING; one process, one loop; prints nothing.
"""

import asyncio
import signal
import sys

import uvloop

_END = b"\r\n.\r\n"
_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Sink(asyncio.Protocol):
    """One client. Content is scanned only for its end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = transport.write  # type: ignore[attr-defined]
        self._rest = b""
        self._in_content = False
        self._write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        answers = []
        while data:
            if self._in_content:
                end = data.find(_END)
                if end < 0:
                    data = data[-4:]
                    break
                data = data[end + 5 :]
                self._in_content = False
                answers.append(b"250 2.0.0 taken\r\n")
                continue
            line, found, data = data.partition(b"\r\n")
            if not found:
                data = line
                break
            verb = line[:4].upper()
            self._in_content = verb == b"DATA"
            answers.append(_ANSWERS.get(verb, b"250 ok\r\n"))
        self._rest = data
        if answers:
            self._write(b"".join(answers))


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(Sink, "127.0.0.1", port)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
