#include "app/manual.h"

#include "app/admin.h"
#include "app/settings.h"
#include "config/manual.h"

namespace banyan {

namespace {

constexpr std::string_view commands = R"(# Banyan: the manual

Made by `banyan manual` from the program itself.

## Command line

| command | what it does |
|---|---|
| `banyan run -c FILE [--workers N] [--engine auto\|epoll\|io_uring] [--watch]` | serves; `--watch` reloads when a file changes |
| `banyan check -c FILE [--json]` | tells everything that is wrong with a file, at once |
| `banyan explain -c FILE METHOD URL [-H 'name: value']... [--client IP]` | which route wins for a request, why, and what the request passes |
| `banyan schema` | the JSON Schema of the file, for editors |
| `banyan manual` | this text |
| `banyan demo` | a small shop with a gateway before it |

Exit status: 0 done, 1 found wrong (or could not start), 2 used wrong.

## Signals

| signal | what it does |
|---|---|
| `SIGHUP` | loads the configuration again; a file with a problem changes nothing, and the log says all that is wrong |
| `SIGUSR1` | opens the log files again, after they were moved away |
| `SIGTERM`, `SIGINT` | drains: no new clients, exchanges under way finish (`shutdown.grace`), then it ends; a second one ends it at once |

## Admin pages

On `admin.address`. A page that is marked wants `Authorization: Bearer` when `admin.token` is set.

)";

}  // namespace

std::string manual() {
  return std::string(commands) + Admin::pages_markdown() + "\n# Configuration\n\n" +
         manual_markdown(fields_of<Settings>().note());
}

}  // namespace banyan
