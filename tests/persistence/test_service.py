"""The example of a service: requests over the loopback interface, errors as JSON, and a short run of its check."""

import importlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import OperatingPointVerifier, StrokeMatcher
from sigkit.persistence import WriterStore, save
from sigkit.persistence._store import _records, _rows
from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer

pytest.importorskip("fastapi")
uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("python_multipart")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def check_service(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("check_service")


@pytest.fixture
def service(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    return importlib.import_module("service")


@pytest.fixture(scope="module")
def system():
    """A system that is fitted in a second."""
    scans, target = make_signatures(n_writers=6, n_genuine=4, n_skilled=1, random_state=2)
    rows = [(f"synthetic/{writer}", forgery) for writer, forgery in target.tolist()]
    names = sorted({writer for writer, _ in rows})
    preprocess = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57), on_poor_scan="ignore")
    verifier = OperatingPointVerifier(
        StrokeMatcher(dev_writers=names), level=0, dev_writers=names, n_draws=1, random_state=0
    )
    return make_pipeline(preprocess, StrokeFeaturizer(n_points=20), verifier).fit(scans, rows)


def make_expired(store, writer):
    """Let the references of a writer expire, as time does."""
    [*_, event] = store.history(writer)
    with store._database.writing() as connection:
        latest = _rows.read_latest(connection, writer, store.path)
        digests = latest.model_digest, latest.signatures_digest
        row = _records.enrollment_row(writer, event.version + 1, "reenroll", event.time, 3, event.system, *digests)
        _rows.insert_enrollment(connection, row, b"", b"")


def test_requests_and_errors(service, check_service, system, tmp_path, monkeypatch):
    monkeypatch.setattr(service, "MAX_BODY", 6 * 2**20)
    files, others = check_service.draw_customers(2)
    with WriterStore(tmp_path / "writers.sqlite") as store:
        config = uvicorn.Config(service.make_app(system, store), port=0, log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
        client = check_service.Client(server.servers[0].sockets[0].getsockname()[1])

        def ask(method, path, *files, **field):
            status, answer = client.send(method, path, files, **field)
            return status, answer.get("error", answer)

        try:
            assert ask("GET", "/health") == (200, {"status": "ok"})
            assert ask("GET", "/version")[1]["sigkit"]
            status, event = ask("PUT", "/writers/ada", *files[:3])
            assert (status, event["version"], event["n_references"]) == (200, 1, 3)
            status, event = ask("POST", "/writers/ada/references", files[3])
            assert (status, event["version"], event["n_references"]) == (200, 2, 4)
            answers = [ask("POST", "/writers/ada/claims", one[4], field="file") for one in (files, others)]
            assert [status for status, _ in answers] == [200, 200]
            assert answers[0][1]["score"] > answers[1][1]["score"]
            assert [one.score for one in store.decisions()] == [answer["score"] for _, answer in answers]
            assert system.get_params()["signaturepreprocessor__on_poor_scan"] == "error"
            blank = check_service.encode(np.full((200, 300), 255, dtype=np.uint8))
            for method, path, content, field, expected, words in [
                ("PUT", "/writers/eve", files[:2], "files", 422, "at least 3 are needed"),
                ("PUT", "/writers/eve", [blank] * 3, "files", 422, "blank: every pixel"),
                ("PUT", "/writers/eve", [b"no image"] * 3, "files", 422, "scan 0 of X"),
                ("PUT", "/writers/e%20e", files[:3], "files", 422, "writer: "),
                ("PUT", "/writers/eve", [], "files", 422, "files: Field required"),
                ("POST", "/writers/ada/claims", files[:1], "file", 422, "1 of 1 queries are copies of references"),
                ("POST", "/writers/ada/claims", [b"0" * 5 * 2**20], "file", 413, "has more than 4,194,304 bytes"),
                ("POST", "/writers/ada/claims", [b"0" * 7 * 2**20], "file", 413, "has more than 6,291,456 bytes"),
                ("POST", "/writers/eve/claims", files[:1], "file", 404, "'eve' is not enrolled"),
                ("GET", "/nothing", [], "file", 404, "Not Found"),
                ("POST", "/health", [], "file", 405, "Method Not Allowed"),
            ]:
                status, words_found = ask(method, path, *content, field=field)
                assert status == expected, words_found
                assert words in words_found
            assert ask("DELETE", "/writers/ada?erase=true") == (200, {"removed": "ada"})
            assert ask("GET", "/writers/ada")[0] == 404
            assert ask("DELETE", "/writers/eve?erase=true") == (404, "'eve' was never enrolled.")
            for writer in ("bob", "eve", "kim", "zoe"):
                assert ask("PUT", f"/writers/{writer}", *files[:3])[0] == 200
            assert ask("DELETE", "/writers/bob") == (200, {"removed": "bob"})
            make_expired(store, "eve")
            make_expired(store, "zoe")
            with store._database.writing() as connection:
                connection.execute("UPDATE enrollments SET time = 'x' WHERE writer = 'kim'")
            found = [ask("GET", f"/writers/{writer}")[0] for writer in ("bob", "eve", "kim")]
            assert found == [404, 410, 409]
            # Whatever is in the store can be erased, and an expired writer can be removed.
            for writer in ("bob", "eve", "kim"):
                assert ask("DELETE", f"/writers/{writer}?erase=true") == (200, {"removed": writer})
            assert ask("DELETE", "/writers/zoe") == (200, {"removed": "zoe"})
            with store._database.reading() as connection:
                left = connection.execute("SELECT DISTINCT writer FROM enrollments WHERE signatures IS NOT NULL")
                assert left.fetchall() == [("zoe",)]
            store.close()
            assert ask("GET", "/health")[0] == 409
        finally:
            server.should_exit = True
            client.connection.close()
            thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_nothing_is_lost_if_the_service_is_killed(service, check_service, system, tmp_path):
    class ForkedServer(check_service.Server):
        """The service in a child process, which need not import the libraries."""

        def launch(self):
            child = os.fork()
            if not child:
                try:
                    service.main(self.arguments)
                finally:
                    os._exit(1)
            return child

    save(system, tmp_path / "system.safetensors")
    path = str(tmp_path / "system.safetensors")
    summary, problems = check_service.check(2, 2, path, str(tmp_path), make_server=ForkedServer)
    assert problems == []
    assert " 0 failures" in summary
    assert "killed and restarted" in summary
