import os
import socket

import numpy as np
import pytest

from sigkit._utils import content_digest, open_regular, printable_path, read_file, signature_digest

needs_posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes and sockets are files on POSIX only")


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    # A socket cannot be bound to a long path.
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


def make_link_to_device(path):
    path.symlink_to("/dev/zero")


def make_link_to_pipe(path):
    os.mkfifo(path.with_suffix(".pipe"))
    path.symlink_to(path.with_suffix(".pipe"))


@needs_posix
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_pipe, "a named pipe"),
        (make_socket, "a socket"),
        (make_link_to_device, "a device"),
        (make_link_to_pipe, "a named pipe"),
        (os.mkdir, "a folder"),
    ],
)
@pytest.mark.parametrize("read", [read_file, lambda path: signature_digest([path], 0)])
def test_only_regular_files_are_read(tmp_path, make, kind, read):
    path = tmp_path / "scan.png"
    make(path)
    with pytest.raises(OSError, match=rf"scan\.png: is {kind}, not a file\.$"):
        read(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scan\0.png", r"scan\\x00\.png: cannot be read \(embedded null byte\)"),
        ("", "^'': no such file"),
        ("a" * 5000, "cannot be read .File name too long"),
        ("scan\ud83d.png", r"scan\\ud83d\.png: cannot be read"),
        ("nowhere/scan.png", "nowhere/scan.png: no such file"),
        ("pyproject.toml/scan.png", "pyproject.toml/scan.png: cannot be read|no such file"),
    ],
)
@pytest.mark.parametrize("read", [read_file, lambda path: signature_digest(np.array([path], dtype=object), 0)])
def test_paths_that_lead_nowhere(name, message, read):
    with pytest.raises(OSError, match=message) as caught:
        read(name)
    assert str(caught.value).isprintable()


def test_the_size_is_compared_before_reading(tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(b"12345")
    assert read_file(path, 5) == b"12345"
    assert signature_digest([path], 0) == content_digest(b"12345")
    with pytest.raises(OSError, match=r"scan\.png: has 5 bytes, more than 4\."):
        read_file(path, 4)
    os.truncate(path, 50 * 10**9)
    with pytest.raises(OSError, match="has 50,000,000,000 bytes"):
        read_file(path, 2**30)


@pytest.mark.parametrize("read", [read_file, lambda path: signature_digest([path], 0)])
def test_a_file_that_changes_meanwhile(tmp_path, monkeypatch, read):
    path = tmp_path / "scan.png"
    path.write_bytes(b"12345")
    status = os.stat_result([*os.stat(path)[:6], 3, *os.stat(path)[7:]])
    monkeypatch.setattr(os, "fstat", lambda descriptor: status)
    with pytest.raises(OSError, match=r"scan\.png: its size changed while it was read"):
        read(path)


@pytest.mark.skipif(not os.path.exists("/proc/self/pagemap"), reason="these files are those of Linux")
@pytest.mark.parametrize("read", [read_file, lambda path: signature_digest([path], 0)])
def test_files_of_the_kernel(tmp_path, read):
    """Regular files, without bytes by their size; one has no end, and one cannot be read."""
    for name, message in (("pagemap", "its size changed"), ("mem", r"cannot be read \(Input/output error\)")):
        (tmp_path / f"{name}.png").symlink_to(f"/proc/self/{name}")
        with pytest.raises(OSError, match=rf"{name}\.png: {message}"):
            read(tmp_path / f"{name}.png")


def test_no_file_stays_open(tmp_path):
    (tmp_path / "scan.png").write_bytes(b"12345")
    n_open = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    for path in (tmp_path, tmp_path / "scan.png"):
        for _ in range(3):
            try:
                with open_regular(path) as (file, size):
                    assert file.read() == b"12345"
                    assert size == 5
            except OSError:
                assert path == tmp_path
    if n_open is not None:
        assert len(os.listdir("/proc/self/fd")) == n_open


def test_paths_that_need_escapes(tmp_path):
    assert printable_path("scan\n\x1b[2J.png") == "scan\\n\\x1b[2J.png"
    assert printable_path(b"scan\xff.png").isprintable()
    path = os.path.join(os.fsencode(tmp_path), b"scan-\xff.png")
    try:
        with open(path, "wb") as file:
            file.write(b"12345")
    except OSError:
        pytest.skip("this file system takes names in Unicode only")
    assert read_file(os.fsdecode(path)) == b"12345"
    assert signature_digest([os.fsdecode(path)], 0) == content_digest(b"12345")
