"""A service over HTTP that enrolls customers and verifies their signatures: an example to read, not a product.

    pip install -e '.[service]'
    python examples/service.py --system system.safetensors --store writers.sqlite
    curl -X PUT -F files=@1.png -F files=@2.png -F files=@3.png http://127.0.0.1:8000/writers/ada
    curl -F file=@cheque.png -F note="cheque 17" http://127.0.0.1:8000/writers/ada/claims
    curl -X DELETE http://127.0.0.1:8000/writers/ada

The system is fitted once, to signatures of synthetic writers, and saved; later starts load it. Customers, references
and decisions are in the store: an answer that was given is there if the process is killed. Several processes can serve
one store. Scans of 300 dpi are expected. A poor scan and a copy of a reference are refused with the reason, status 422.

Nothing leaves the machine, and no page of the service loads anything from elsewhere. There are no users, no passwords
and no encryption here: put the service behind a server that has them.
"""

import argparse
import os
import warnings

# One thread for each request: several would wait for each other, and round sums otherwise with another number of them.
# It must be set before numpy and torch are imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from datetime import UTC, datetime, timedelta
from threading import Semaphore
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Form, Path, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sklearn.pipeline import Pipeline
from starlette.exceptions import HTTPException

import sigkit
from sigkit.datasets import make_signatures
from sigkit.estimators import OperatingPointVerifier, make_fused_verifier
from sigkit.imaging import ImageError
from sigkit.persistence import StoredVerifier, WriterStore, load, save
from sigkit.transformers import SignaturePreprocessor

MAX_FILES, MAX_FILE_SIZE = 20, 4 * 2**20
MAX_BODY = MAX_FILES * MAX_FILE_SIZE
LEAST_REFERENCES = 3
N_AT_ONCE = os.cpu_count() or 1

Writer = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[\w.-]+$")]


def fit_system(n_writers=20, level=0.05):
    """Fit a system to synthetic writers; 5 % of their skilled forgeries are accepted."""
    scans, target = make_signatures(n_writers, n_genuine=8, n_skilled=4, random_state=2)
    # No id of a customer has a slash.
    rows = [(f"synthetic/{writer}", forgery) for writer, forgery in target.tolist()]
    names = sorted({writer for writer, _ in rows})
    fused = make_fused_verifier(dev_writers=names, random_state=0)
    settings = {"level": level, "dev_writers": names, "other_corpus": True, "random_state": 0}
    preprocess = SignaturePreprocessor(canvas_size=(765, 1089), on_poor_scan="ignore")
    system = Pipeline([("preprocess", preprocess), ("verifier", OperatingPointVerifier(fused, **settings))])
    return system.fit(scans, rows).set_params(preprocess__max_memory=300)


def refuse_what_was_a_warning(system):
    """Make poor scans and copies of references errors: nobody reads the warnings of a service."""
    names = [name for name in system.get_params() if name.split("__")[-1] == "on_poor_scan"]
    system.set_params(**dict.fromkeys(names, "error"))
    warnings.filterwarnings("error", r"\d+ of \d+ queries are copies", UserWarning)


class LimitedBody:
    """Refuse requests with a large body while it is received, whether or not it says its size."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        size = 0

        async def count():
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise HTTPException(413, f"The request has more than {MAX_BODY:,} bytes.")
            return message

        await self.app(scope, count, send)


def answer(status, error):
    return JSONResponse({"error": str(error)}, status_code=status)


def read_files(files):
    """Return the contents of uploaded files, which are few and small."""
    if len(files) > MAX_FILES:
        raise HTTPException(413, f"{len(files)} files; at most {MAX_FILES} are accepted.")
    contents = [file.file.read(MAX_FILE_SIZE + 1) for file in files]
    for file, content in zip(files, contents):
        if not 0 < len(content) <= MAX_FILE_SIZE:
            raise HTTPException(413, f"{file.filename!r} is empty, or has more than {MAX_FILE_SIZE:,} bytes.")
    return contents


def make_app(system, store):
    """Make the application around a fitted system and an open store."""
    app = FastAPI(title="Signature verification", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(LimitedBody)
    refuse_what_was_a_warning(system)
    verifier, turn = StoredVerifier(system, store), Semaphore(N_AT_ONCE)

    def check_known(writer):
        """Return the last event of an enrolled writer."""
        events = store.history(writer)
        if not events or not events[-1].n_references:
            raise HTTPException(404, f"{writer!r} is not enrolled.")
        return events[-1]

    def check_enrolled(writer):
        """Return the last event of a writer who can be verified."""
        event = check_known(writer)
        expires = event.expires
        if expires is not None and expires <= datetime.now(UTC):
            raise HTTPException(410, f"The references of {writer!r} expired on {expires:%Y-%m-%d}: enroll again.")
        return event

    def was_enrolled(writer):
        """Whether the store has anything of a writer: also one who was removed, or whose rows are damaged."""
        try:
            return bool(store.history(writer))
        except ValueError:
            return True

    @app.exception_handler(HTTPException)
    def refuse(request, error):
        return answer(error.status_code, error.detail)

    @app.exception_handler(RequestValidationError)
    def refuse_request(request, error):
        return answer(422, "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors()))

    @app.exception_handler(ImageError)
    @app.exception_handler(UserWarning)
    def refuse_scan(request, error):
        return answer(422, error)

    @app.exception_handler(ValueError)
    def refuse_value(request, error):
        return answer(409, error)

    @app.exception_handler(OSError)
    def report_store(request, error):
        return answer(503, error)

    @app.exception_handler(Exception)
    def report_defect(request, error):
        # uvicorn logs it with its traceback.
        return answer(500, "A defect of the service; see its log.")

    @app.put("/writers/{writer}")
    def enroll(writer: Writer, files: list[UploadFile], days: Annotated[int, Form(ge=1, le=36500)] = 3650):
        """Enroll a writer with these references, and replace earlier ones."""
        contents = read_files(files)
        if len(contents) < LEAST_REFERENCES:
            raise HTTPException(422, f"{len(contents)} references; at least {LEAST_REFERENCES} are needed.")
        with turn:
            expires = datetime.now(UTC) + timedelta(days=days)
            verifier.enroll(contents, [writer] * len(contents), expires=expires)
        return show(writer)

    @app.post("/writers/{writer}/references")
    def add_references(writer: Writer, files: list[UploadFile]):
        """Add references to those of a writer."""
        check_enrolled(writer)
        contents = read_files(files)
        with turn:
            verifier.add_references(contents, [writer] * len(contents))
        return show(writer)

    @app.post("/writers/{writer}/claims")
    def verify(writer: Writer, file: UploadFile, note: Annotated[str | None, Form(max_length=1000)] = None):
        """Accept or reject a signature, and record the decision."""
        check_enrolled(writer)
        contents = read_files([file])
        with turn:
            [decision] = verifier.decide(contents, [writer], note=note)
        return decision._asdict()

    @app.get("/writers/{writer}")
    def show(writer: Writer):
        """Return the last event of a writer: the version, the number of references, and when they expire."""
        return check_enrolled(writer)._asdict()

    @app.delete("/writers/{writer}")
    def remove(writer: Writer, erase: bool = False):
        """Remove a writer; with `erase`, delete the references too, also those of a writer who was removed."""
        if not erase:
            check_known(writer)
            store.remove([writer])
        elif was_enrolled(writer):
            store.erase([writer])
        else:
            raise HTTPException(404, f"{writer!r} was never enrolled.")
        return {"removed": writer}

    @app.get("/health")
    def health():
        """Read from the store."""
        store.history("health")
        return {"status": "ok"}

    @app.get("/version")
    def version():
        return {"sigkit": sigkit.__version__, "system": verifier.system}

    return app


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", default="system.safetensors", help="the file of the system, made if there is none")
    parser.add_argument("--store", default="writers.sqlite", help="the file of the store, made if there is none")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    if not os.path.exists(options.system):
        print(f"Fitting a system to synthetic writers, and saving it to {options.system} ...")
        save(fit_system(), options.system)
    with WriterStore(options.store) as store:
        uvicorn.run(make_app(load(options.system), store), host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
