"""Load the example service by several clients, kill and restart it, and check that nothing is lost.

    python benchmarks/check_service.py --seconds 120 --clients 8

The service of examples/service.py runs in a process of its own, on the loopback interface. Each client enrolls
customers, adds references, verifies genuine signatures and those of others, sends a poor scan and a large file, and
removes a customer. At half time the process is ended by SIGKILL and started again; meanwhile clients repeat requests
whose connection fails. Every other answer must be the expected one. At the end each acknowledged enrollment, removal
and decision must be in the store, and equal claims must have had equal scores. The status is 1 otherwise.
"""

import argparse
import http.client
import io
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from sigkit.datasets import make_signatures
from sigkit.imaging import check_scan
from sigkit.persistence import WriterStore

SERVICE = Path(__file__).parents[1] / "examples" / "service.py"
BOUNDARY = "sigkit-check-service"
N_GENUINE, LARGE = 6, 5 * 2**20


class Server:
    """The service in a process of its own."""

    def __init__(self, system, store):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.arguments = ["--system", system, "--store", store, "--port", str(self.port)]
        self.number = None

    def launch(self):
        """Start the process, and return its number."""
        return os.posix_spawn(sys.executable, [sys.executable, str(SERVICE), *self.arguments], os.environ)

    def start(self):
        """Start the service, and wait until it answers."""
        self.number = self.launch()
        client = Client(self.port)
        while True:
            ended, status = os.waitpid(self.number, os.WNOHANG)
            if ended:
                raise RuntimeError(f"The service ended with the status {status}.")
            try:
                status, answer = client.send("GET", "/health")
            except OSError:
                time.sleep(0.05)
            else:
                client.connection.close()
                assert status == 200, answer
                return

    def end(self, number):
        os.kill(self.number, number)
        os.waitpid(self.number, 0)

    def memory(self):
        """Return the resident memory in MiB."""
        lines = Path(f"/proc/{self.number}/status").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


class Client:
    """Requests over one connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def send(self, method, path, files=(), field="files"):
        """Send a request, and return the status and the answer; OSError or HTTPException if the connection fails."""
        headers, body = {}, None
        if files:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="scan.png"\r\n\r\n'
            body = b"".join(head.encode() + content + b"\r\n" for content in files) + f"--{BOUNDARY}--\r\n".encode()
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise


class Results:
    """What the clients have seen."""

    def __init__(self):
        self.lock = threading.Lock()
        self.durations, self.problems, self.repeated = [], [], Counter()
        self.versions, self.removed, self.decisions, self.scores = {}, set(), [], {}

    def add(self, duration, problem=None):
        with self.lock:
            self.durations.append(duration)
            self.problems += [problem] if problem else []


def encode(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="png")
    return file.getvalue()


def draw_customers(n):
    """Return files of sound signatures, `N_GENUINE` for each customer."""
    scans, target = make_signatures(2 * n, N_GENUINE, 0, random_state=1)
    by_writer = [[scans[row] for row in np.flatnonzero(target[:, 0] == writer)] for writer in range(1, 2 * n + 1)]
    sound = [own for own in by_writer if not any(check_scan(scan).problems for scan in own)]
    return [[encode(scan) for scan in own] for own in sound[:n]]


def work(number, customers, port, ended, results):
    """Send requests as one client until the end."""
    client, own, other = Client(port), customers[number], customers[number - 1]
    blank, turn = encode(np.full((200, 300), 255, dtype=np.uint8)), 0

    def ask(method, path, expected, *files, **field):
        """Send a request until it is answered; return the answer."""
        # A removal that is repeated may have been done.
        also, start = (), time.perf_counter()
        while True:
            try:
                status, answer = client.send(method, path, files, **field)
            except (OSError, http.client.HTTPException) as error:
                with results.lock:
                    results.repeated[type(error).__name__] += 1
                also = (404,) if method == "DELETE" else ()
                time.sleep(0.1)
                start = time.perf_counter()
                continue
            right = status == expected or status in also
            what = None if right else f"{method} {path}: {status} instead of {expected}, {answer}"
            results.add(time.perf_counter() - start, what)
            return answer

    def verify(writer, content, references):
        decision = ask("POST", f"/writers/{writer}/claims", 200, content, field="file")
        if "score" not in decision:
            return
        key = references, content
        with results.lock:
            results.decisions.append((decision["time"], writer, decision["query"], decision["score"]))
            if results.scores.setdefault(key, decision["score"]) != decision["score"]:
                results.problems.append(f"{writer}: the scores {results.scores[key]} and {decision['score']}")

    while not ended.is_set():
        writer = f"client-{number}-{turn}"
        event = ask("PUT", f"/writers/{writer}", 200, *own[:3])
        verify(writer, own[4], number)
        verify(writer, other[4], number)
        results.versions[writer] = event.get("version", 0)
        if turn % 3 == 0:
            event = ask("POST", f"/writers/{writer}/references", 200, own[3])
            results.versions[writer] = event.get("version", 0)
            verify(writer, own[5], (number, "added"))
        if turn % 4 == 1:
            ask("POST", f"/writers/{writer}/claims", 422, blank, field="file")
            ask("POST", f"/writers/{writer}/claims", 413, b"0" * LARGE, field="file")
            ask("GET", "/writers/nobody", 404)
            ask("GET", "/version", 200)
        if turn % 4 == 2:
            ask("DELETE", f"/writers/{writer}", 200)
            results.removed.add(writer)
        turn += 1
    client.connection.close()


def find_lost(path, results):
    """Return what was acknowledged and is not in the store."""
    with WriterStore(path) as store:
        problems, known = store.check(), set()
        for one in store.decisions():
            known.add((one.time.isoformat(), one.writer, one.query, one.score))
        for writer, version in results.versions.items():
            events = store.history(writer)
            if len(events) < version or (writer in results.removed) != (events[-1].event == "remove"):
                problems.append(f"{writer} has the events {[event.event for event in events]}")
        lost = [one for one in results.decisions if one not in known]
    return problems + [f"the decision {one} was lost" for one in lost]


def check(seconds, n_clients, system, folder, make_server=Server):
    """Run the service and the clients; return a summary and the problems."""
    customers, results, ended = draw_customers(n_clients), Results(), threading.Event()
    path = os.path.join(folder, "writers.sqlite")
    server = make_server(system, path)
    server.start()
    clients = [
        threading.Thread(target=work, args=(number, customers, server.port, ended, results))
        for number in range(n_clients)
    ]
    for client in clients:
        client.start()
    memory, start = [], time.perf_counter()
    time.sleep(seconds / 10)
    memory.append(server.memory())
    time.sleep(seconds * 0.4)
    memory.append(server.memory())
    server.end(signal.SIGKILL)
    stopped = time.perf_counter()
    server.start()
    away = time.perf_counter() - stopped
    time.sleep(seconds / 10)
    memory.append(server.memory())
    time.sleep(seconds * 0.4)
    ended.set()
    for client in clients:
        client.join()
    memory.append(server.memory())
    duration = time.perf_counter() - start
    server.end(signal.SIGTERM)
    problems = results.problems + find_lost(path, results)
    p50, p99 = np.percentile(results.durations, [50, 99])
    repeated = ", ".join(f"{count} {name}" for name, count in results.repeated.items())
    return (
        f"{n_clients} clients, {duration:.0f} s: {len(results.durations)} requests, {len(results.problems)} failures; "
        f"p50 {1e3 * p50:.0f} ms, p99 {1e3 * p99:.0f} ms\n"
        f"killed and restarted in {away:.1f} s; requests repeated meanwhile: {repeated or 'none'}\n"
        "memory of the first process {:.0f} MiB at its start and {:.0f} at its end, of the second {:.0f} and {:.0f}\n"
        "acknowledged: {} enrollments, {} removals, {} decisions".format(
            *memory, sum(results.versions.values()), len(results.removed), len(results.decisions)
        )
    ), problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=120, help="how long the clients send requests")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--system", help="the file of the system; by default the service fits one, in some minutes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        system = arguments.system or os.path.join(folder, "system.safetensors")
        summary, problems = check(arguments.seconds, arguments.clients, system, folder)
    print(f"{summary}\n{'; '.join(problems[:3]) or 'nothing was lost, and no score differed'}")
    sys.exit(int(bool(problems)))


if __name__ == "__main__":
    main()
