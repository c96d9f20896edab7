"""Run in a network namespace of its own, as root: sets it up, runs Banyan as another user behind
scripts/redirect.sh, and prints what an application sees. Each line is a word and what came.

python3 inside.py BANYAN REDIRECT_SCRIPT FOLDER
"""

import os
import socket
import subprocess
import sys
import threading
import time

BANYAN, REDIRECT, FOLDER = sys.argv[1:]
NOBODY = 65534
PORT = 15001
FAR = (("10.9.0.1", socket.AF_INET), ("fd09::1", socket.AF_INET6))
PATIENCE = 60


def run(*command):
    subprocess.run(command, check=True, timeout=PATIENCE)


def serve(address, family):
    """Tells each client from where it was reached."""
    listener = socket.create_server((address, 9000), family=family)

    def answer():
        while True:
            client, peer = listener.accept()
            threading.Thread(target=talk, args=(client, peer), daemon=True).start()

    def talk(client, peer):
        with client:
            while client.recv(100):
                client.sendall(f"{address} {uid_of(peer)}\n".encode())
    threading.Thread(target=answer, daemon=True).start()


def uid_of(peer):
    """Who made the connection, by the kernel's table of sockets."""
    for name in ("tcp", "tcp6"):
        for line in open(f"/proc/net/{name}").read().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == peer[1] and fields[3] == "01":
                return fields[7]
    return "?"


def ask(address, port=9000):
    try:
        with socket.create_connection((address, port), timeout=PATIENCE) as s:
            s.sendall(b"who?")
            return s.recv(100).decode().strip() or "end"
    except OSError as error:
        return type(error).__name__


def until_it_listens():
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", PORT)) == 0:
                return
        time.sleep(0.01)
    raise SystemExit("banyan does not listen")


run("ip", "link", "set", "lo", "up")
for far, kind in FAR:
    run("ip", "address", "add", far + ("/32" if kind == socket.AF_INET else "/128"), "dev", "lo")
time.sleep(0.1)  # duplicate address detection of IPv6
for far, kind in FAR:
    serve(far, kind)
with open(f"{FOLDER}/banyan.yaml", "w") as config:
    config.write(f"version: 1\nambassador: {{ all: {{ listen: ':{PORT}', transparent: true }} }}\n"
                 "offload: { access_log: { path: '-' } }\n")
with open(f"{FOLDER}/log", "w") as log:
    banyan = subprocess.Popen([BANYAN, "run", "-c", f"{FOLDER}/banyan.yaml", "--workers", "2"],
                              stdout=log, stderr=log, user=NOBODY, group=NOBODY, extra_groups=[])
try:
    until_it_listens()
    print("before", ask("10.9.0.1"))
    run("sh", REDIRECT, "add", str(PORT), str(NOBODY), "9000,9001")
    for far, _ in FAR:
        print("through", ask(far))
    print("nobody", ask("10.9.0.1", 9001))
    print("direct", ask("127.0.0.1", PORT))
    run("sh", REDIRECT, "add", str(PORT), str(NOBODY), "1-9000")
    print("again", ask("10.9.0.1"))
    run("sh", REDIRECT, "remove")
    print("after", ask("10.9.0.1"))
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    print("left", tables.stdout.strip() or "nothing")
finally:
    banyan.terminate()
    print("exit", banyan.wait(PATIENCE))
