"""A gRPC service and its client, on raw bytes: all four kinds of calls, deadlines, cancellation, and
a failure. Run by Debian's Python, which has grpcio.

  grpc_peer.py serve            listens, prints its port, serves until its input ends
  grpc_peer.py ask HOST:PORT    asks for everything; prints what came of it, a line each
"""

import sys
import threading
from concurrent import futures

import grpc

ended = threading.Event()


def unary(request, context):
    if request == b"fail":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
    context.set_trailing_metadata((("x-sum", str(len(request))),))
    return b"got " + request


def down(request, context):
    for i in range(int(request)):
        yield b"%d" % i


def up(requests, context):
    return b"+".join(requests)


def both(requests, context):
    for request in requests:
        yield b"echo " + request


def hang(request, context):
    context.add_callback(ended.set)
    ended.wait(20)
    return b"late"


def was_cancelled(request, context):
    return b"yes" if ended.wait(10) else b"no"


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(8))
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Down": grpc.unary_stream_rpc_method_handler(down),
        "Up": grpc.stream_unary_rpc_method_handler(up),
        "Both": grpc.stream_stream_rpc_method_handler(both),
        "Hang": grpc.unary_unary_rpc_method_handler(hang),
        "WasCancelled": grpc.unary_unary_rpc_method_handler(was_cancelled),
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("test.Peer", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


def ask(address):
    with grpc.insecure_channel(address) as channel:
        answer, call = channel.unary_unary("/test.Peer/Unary").with_call(b"hello", timeout=20)
        print(answer.decode(), dict(call.trailing_metadata())["x-sum"])
        large = channel.unary_unary("/test.Peer/Unary")(b"x" * 1_000_000, timeout=20)
        print(len(large))
        print(b" ".join(channel.unary_stream("/test.Peer/Down")(b"5", timeout=20)).decode())
        print(channel.stream_unary("/test.Peer/Up")(iter([b"a", b"b", b"c"]), timeout=20).decode())
        print(b",".join(channel.stream_stream("/test.Peer/Both")(iter([b"1", b"2"]),
                                                                 timeout=20)).decode())
        for method, content, limit in (("Unary", b"fail", 20), ("None", b"", 20),
                                       ("Hang", b"", 0.5)):
            try:
                channel.unary_unary(f"/test.Peer/{method}")(content, timeout=limit)
            except grpc.RpcError as error:
                print(error.code().name)
        print(channel.unary_unary("/test.Peer/WasCancelled")(b"", timeout=20).decode())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        ask(sys.argv[2])
