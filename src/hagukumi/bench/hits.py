"""The load of W2: page views from so many connections, each waiting for its answer. Prints one line of JSON.

`python -m hagukumi.bench.hits PORT PATH CONNECTIONS SECONDS [RATE]`. Plain sockets and epoll, because a load that costs
more than the server measures itself. RATE 0: as fast as answers come; else so many a second, spread evenly.
"""

import itertools
import json
import select
import socket
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

SITE = "https://www.example.co.jp"
_VISITORS = 20_000
"""Enough that no one of them says more in a minute than the collector takes from a visitor."""


def payload(path: str, number: int) -> bytes:
    """One page view as the tag sends it, with everything around it that a browser adds."""
    now = int(time.time() * 1000)
    page = f"{SITE}/product/{number % 200}"
    view = {"id": str(uuid.UUID(int=number)), "k": "view", "t": now - 250, "u": page, "ti": "製品のご紹介", "r": ""}
    body = json.dumps({"v": f"visitor-{number:08d}", "s": now, "a": "", "e": [view]}, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {SITE}\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130 Safari/537.36\r\n"
        f"Accept: */*\r\nAccept-Language: ja\r\nReferer: {SITE}/\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(port: int, path: str, connections: int, seconds: float, rate: float) -> dict[str, Any]:
    """Answers a second, and the waiting time of an answer in milliseconds."""
    following = itertools.cycle([payload(path, number) for number in range(_VISITORS)]).__next__
    poll = select.epoll()
    doors: dict[int, tuple[socket.socket, Callable[[int], bytes], Callable[[bytes], int]]] = {}
    for _ in range(connections):
        door = socket.create_connection(("127.0.0.1", port))
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        door.setblocking(False)
        doors[door.fileno()] = (door, door.recv, door.send)
        poll.register(door.fileno(), select.EPOLLIN)
    now = time.perf_counter
    begun = now()
    end = begun + seconds
    asked: dict[int, float] = {}
    idle = list(doors)
    waits: list[float] = []
    sent = bad = 0
    while asked or now() < end:
        at = now()
        allowed = len(idle) if not rate else min(len(idle), int((at - begun) * rate) - sent)
        if at < end:
            for _ in range(allowed):
                number = idle.pop()
                asked[number] = now()
                doors[number][2](following())
            sent += max(allowed, 0)
        for number, _event in poll.poll(0.001 if rate else 0.1):
            if not doors[number][1](65_536).startswith(b"HTTP/1.1 204"):
                bad += 1
            waits.append(now() - asked.pop(number))
            idle.append(number)
    took = now() - begun
    waits.sort()
    answers = len(waits)
    return {
        "answers": answers,
        "rate": answers / took,
        "p50_ms": round(waits[answers // 2] * 1000, 1),
        "p99_ms": round(waits[answers * 99 // 100] * 1000, 1),
        "bad": bad,
    }


if __name__ == "__main__":
    _, port, path, connections, seconds, *rest = sys.argv
    print(json.dumps(run(int(port), path, int(connections), float(seconds), float(rest[0]) if rest else 0.0)))
