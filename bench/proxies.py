"""Starts and stops the proxies and the origin, each on a free loopback port."""

import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import configs
from process import LOAD_CORE, PROXY_CORE, Process

ROOT = pathlib.Path(__file__).resolve().parent.parent
READY_MAX_SECONDS = 30.0
POLL_SECONDS = 0.0002


class NotReady(Exception):
    """Somebody did not answer in time; carries what it wrote."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, target, timeout=5.0):
    """One request on a connection of its own: the status, or 0 when nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as s:
            s.sendall(f"GET {target} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            head = s.recv(4096)
            return int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
    except OSError:
        return 0


class Origin:
    """Ours by default: nginx in its place fills the load core first (`--origin nginx` shows it)."""

    def __init__(self, folder, kind):
        self.port = free_port()
        argv = self._nginx(folder) if kind == "nginx" else [str(build_origin()), str(self.port)]
        self.process = Process(argv, LOAD_CORE)
        wait_until_answers(self.process, self.port, "/256")

    def _nginx(self, folder):
        root = pathlib.Path(folder, "origin")
        root.mkdir()
        for name, size in (("256", 256), ("10k", 10240), ("1m", 1 << 20)):
            (root / name).write_bytes(b"x" * size)
        text = configs.nginx(folder, self.port, 0, 0, 0)
        text = text.replace("server 127.0.0.1:0;", "server 127.0.0.1:1;")
        text = text.replace("location / { proxy_pass http://origin; }", f"root {root};")
        text = text.replace("sendfile on;", "sendfile on; open_file_cache max=9;")
        path = root / "nginx.conf"
        path.write_text(text.replace("nginx.pid", "origin.pid"))
        return ["nginx", "-e", "stderr", "-c", str(path)]


def build_origin():
    return compiled("origin/origin.cc")


def compiled(name, *libraries):
    """Compiles a source of the bench when it changed. In build-bench/, which git ignores."""
    source = ROOT / "bench" / name
    binary = ROOT / "build-bench" / source.stem
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        binary.parent.mkdir(exist_ok=True)
        compiler = shutil.which("clang++-19") or shutil.which("c++")
        subprocess.run([compiler, "-std=c++23", "-O2", str(source), "-o", str(binary),
                        *libraries], check=True, timeout=120)
    return binary


def ask_by_curl(protocol):
    """As ask(), for clients of another protocol."""
    word, scheme = {"tls": ("--insecure", "https"), "h2c": ("--http2-prior-knowledge", "http")}[protocol]

    def one(port, target):
        done = subprocess.run(["curl", "--silent", word, "--output", "/dev/null", "--max-time", "5",
                               "--write-out", "%{http_code}", f"{scheme}://127.0.0.1:{port}{target}"],
                              capture_output=True, text=True, timeout=10, check=False)
        return int(done.stdout or 0)
    return one


def wait_until_answers(process, port, target, asks=ask):
    """Seconds from the start of `process` to its first 200."""
    deadline = process.started + READY_MAX_SECONDS
    while time.monotonic() < deadline and process.running():
        if asks(port, target) == 200:
            return time.monotonic() - process.started
        time.sleep(POLL_SECONDS)
    process.stop()
    raise NotReady(" ".join(process.argv))


class Proxy:
    """One proxy under test, answering when the constructor returns."""

    def __init__(self, name, folder, origin_port, banyan, routes=0, guard=True, protocol="http"):
        self.name = name
        self.protocol = protocol
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix=f"{name}-", dir=folder)
        argv = self._command(origin_port, banyan, routes)
        with open(f"{self.folder}/output.log", "wb") as log:
            self.process = Process(argv, PROXY_CORE, guard, log)
        try:
            target = f"/r{routes // 2}/256" if routes else "/256"
            asks = ask if protocol == "http" else ask_by_curl(protocol)
            self.first_answer_seconds = wait_until_answers(self.process, self.port, target, asks)
        except NotReady as failure:
            written = pathlib.Path(self.folder, "output.log").read_text(errors="replace")
            raise NotReady(f"{failure}\n{written[-2000:]}") from None
        except BaseException:  # a signal: nobody holds us yet, so nobody else would stop it
            self.process.stop()
            raise

    def _command(self, origin_port, banyan, routes):
        path = f"{self.folder}/proxy.conf"
        if self.name == "bare":
            forwarder = compiled("bare/forwarder.cc", "-luring")
            return [str(forwarder), str(self.port), str(origin_port)]
        common = (self.folder, self.port, free_port(), origin_port, routes)
        make = {"nginx": (configs.nginx, ["nginx", "-e", "stderr", "-c", path]),
                "nginx+log": (lambda *a: configs.nginx(*a, access_log=True),
                              ["nginx", "-e", "stderr", "-c", path]),
                "haproxy": (configs.haproxy, ["haproxy", "-db", "-f", path]),
                "banyan": (configs.banyan, [banyan, "run", "-c", path, "--workers", "1"])}
        config, argv = make[self.name]
        more = {} if self.protocol == "http" else {"protocol": self.protocol}
        pathlib.Path(path).write_text(config(*common, **more))
        return argv

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
