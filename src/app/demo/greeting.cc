#include <fmt/format.h>

#include "app/demo/demo.h"

namespace banyan {

namespace {

struct Line {
  std::string_view shows;
  std::string_view command;
};

constexpr Line lines[] = {
    {"routing by path: three services behind one address",
     "curl 'localhost:8080/products/1/reviews?limit=2' localhost:8080/sellers/1 "
     "localhost:8080/stock/BAN-S"},
    {"balancing: two copies of the catalog share the work",
     "for i in $(seq 8); do curl -sI localhost:8080/products | grep x-served-by; done | sort | "
     "uniq -c"},
    {"a canary: one user in ten gets version 3, and the same users each time",
     "for s in $(seq 40); do curl -sI -b sid=$s localhost:8080/products/1 | "
     "grep -q catalog-v3 && echo user $s; done"},
    {"routing by header: version 3 for whoever asks for it",
     "curl -H 'x-api-version: 3' localhost:8080/products/1"},
    {"a rewrite: the service sees /products/2", "curl localhost:8080/api/v1/items/2"},
    {"a redirect that keeps what the path named", "curl -i localhost:8080/p/3"},
    {"a fixed answer, with no service behind it", "curl -i localhost:8080/teapot"},
    {"what the old system sees: Via and X-Forwarded-*; the forged one is gone",
     "curl -H 'x-forwarded-for: 6.6.6.6' localhost:8080/echo"},
    {"no route (404), a wrong method (405): problems that say what happened",
     "curl -i localhost:8080/nowhere; curl -iX DELETE localhost:8080/products"},
    {"a service that is too slow (504), and one that is down (503)",
     "curl -i localhost:8080/report/now; curl -i localhost:8080/down"},
    {"a copy of the catalog dies: twenty calls go well all the same",
     "curl -d fault=down localhost:9000/faults/catalog-2; for i in $(seq 20); do curl -so "
     "/dev/null "
     "-w '%{http_code}\\n' localhost:8080/products; done | sort | uniq -c; "
     "curl -d fault=none localhost:9000/faults/catalog-2"},
    {"reviews hang: three wait half a second (504), then nobody does (503); the rest is well",
     "curl -d fault=hang localhost:9000/faults/reviews-1; for i in $(seq 5); do curl -so /dev/null "
     "-w '%{http_code} after %{time_total} s\\n' localhost:8080/products/1/reviews; done; "
     "curl -so /dev/null -w 'sellers: %{http_code}\\n' localhost:8080/sellers/1; "
     "curl -d fault=none localhost:9000/faults/reviews-1"},
    {"what it did so far, and which layers a request goes through",
     "curl localhost:9901/metrics; curl localhost:9901/stack"},
};

}  // namespace

std::string demo_greeting() {
  std::string text =
      "The garden shop is open: http://localhost:8080 (admin: http://localhost:9901)\n"
      "Seven small programs answer behind the gateway. Break them: http://localhost:9000\n"
      "Try, from another terminal:\n";
  for (const Line& line : lines) text += fmt::format("\n  # {}\n  {}\n", line.shows, line.command);
  return text + "\nThe configuration is examples/demo.yaml. Ctrl-C ends the demo.\n";
}

}  // namespace banyan
