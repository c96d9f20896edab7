#include "app/demo/demo.h"

namespace banyan {

std::string_view demo_config() {
  return R"yaml(# The gateway of `banyan demo`: one address in front of the seven small programs of a garden shop.
# Copy it, change it, and run it against your own services: `banyan run -c FILE`.
# The order of routes does not matter: the most specific match wins.
version: 1

admin: 127.0.0.1:9901                     # /metrics /stack /config /explain; keep it on loopback

listeners:
  public: 127.0.0.1:8080                  # where clients come in

# ---- Services: everything that can answer, by name.
services:
  catalog:                                # two copies of one program share the work
    endpoints: [http://127.0.0.1:9001, http://127.0.0.1:9002]
    balance: round_robin                  # in turn, so that it can be seen; standard is `ewma`
    timeout: { connect: 250ms, try: 500ms, request: 2s }
    health: { path: /healthz, interval: 1s }
    retry: { attempts: 3, budget: 20% }   # only what is safe to send again
  catalog-v3: { endpoints: [http://127.0.0.1:9007] }        # the next version
  reviews:                                # when it fails it is left alone for a while
    bulkhead: 16                          # and it never holds more than 16 calls
    endpoints: [http://127.0.0.1:9003]
    timeout: { request: 500ms }
    breaker: { failures: 3, open: 2s, scope: service }
  sellers: { endpoints: [http://127.0.0.1:9004] }
  stock: { endpoints: [http://127.0.0.1:9005] }
  monolith: { endpoints: [http://127.0.0.1:9010] }          # the old system: HTML, forms, slow

  catalog-canary:                         # one user in ten sees the next version, every time
    split: { to: { catalog: 90, catalog-v3: 10 }, cohort: "cookie:sid" }

  hurried:                                # the monolith again, for callers who cannot wait
    endpoints: [http://127.0.0.1:9010]
    timeout: { request: 100ms }           # its /report takes 300ms: a 504 that says why
  down: { endpoints: [http://127.0.0.1:9099] }              # nobody is there: a 503
  teapot: { respond: { status: 418, body: "short and stout\n" } }   # no upstream at all

# ---- Routes: which service answers.
routes:
  # By path. GET does not include HEAD: name both. Any other method gets 405.
  - { name: products, match: { path: /products, methods: [GET, HEAD] }, to: catalog }
  - { name: product, match: { path: "/products/{id}", methods: [GET, HEAD] }, to: catalog-canary }
  - { name: reviews, match: { path: "/products/{id}/reviews" }, to: reviews }
  - { name: seller, match: { path: "/sellers/{id}" }, to: sellers }
  - { name: stock, match: { path: /stock }, to: stock }
  - { name: article, match: { path: "/stock/{sku}" }, to: stock }

  # By header: the same path as `product` with one condition more, so it wins where that holds.
  - name: product-v3
    match: { path: "/products/{id}", methods: [GET, HEAD], headers: { x-api-version: "3" } }
    to: catalog-v3

  # Rewrite: clients keep the old address, the service sees its own.
  - { name: old-api, match: { path: "/api/v1/items/{id}" }, to: catalog, rewrite: "/products/{id}" }

  # Redirect, and fixed answers.
  - { name: old-home, match: { path: /old-home }, redirect: { to: /, status: 308 } }
  - name: short-link
    match: { path: "/p/{id}" }
    redirect: { to: "/products/{id}", status: 301 }
  - { name: teapot, match: { path: /teapot }, to: teapot }
  - name: robots
    match: { path: /robots.txt }
    respond: { body: "User-agent: *\nDisallow: /orders\n" }

  # The old system keeps what nobody has replaced yet.
  - { name: home, match: { path: / }, to: monolith }
  - { name: about, match: { path: /about }, to: monolith }
  - { name: orders, match: { path: /orders }, to: monolith }
  - { name: order, match: { path: "/orders/{number}" }, to: monolith }
  - { name: customer, match: { path: /legacy/customer }, to: monolith }
  - { name: report, match: { path: /report }, to: monolith }
  - { name: echo, match: { path: /echo }, to: monolith }
  # By host: under its own name it is all there, /old-home too. No other route names this host.
  - { name: legacy, match: { host: legacy.localhost, path: "/{rest...}" }, to: monolith }

  # What failure looks like.
  - { name: report-now, match: { path: /report/now }, to: hurried, rewrite: /report }
  - { name: down, match: { path: /down }, to: down }

offload:
  limits: { body: 64KiB, idle_timeout: 30s }       # the rest has safe standards: `banyan manual`
  # access_log: "-"                                # one JSON object a request, to standard output
)yaml";
}

}  // namespace banyan
