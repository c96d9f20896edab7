"""httpx as an application uses it: all it knows of the proxy is its environment (HTTP_PROXY).

python3 ask.py LOCAL_URL FAR_URL: prints one line an answer.
"""

import sys

import httpx

local, far = sys.argv[1:]
with httpx.Client(trust_env=False) as client:
    print(client.get(local).text)
    print(client.post(local, content=b"x" * 100000).text)
with httpx.Client() as client:
    print(client.get(far).text)
    print(client.get(far).text)
