#include "app/demo/control.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/demo/answer.h"
#include "service/respond.h"

namespace banyan::demo {

namespace {

constexpr size_t form_bytes_max = 1024;

// What a page of another site cannot send: its own name for this machine, or no Origin.
bool from_here(const Request& request) {
  constexpr std::string_view names[] = {"localhost", "127.0.0.1", "[::1]"};
  if (std::ranges::find(names, request.host) == std::end(names)) return false;
  const std::string_view origin = request.headers.get("origin");
  return origin.empty() || (origin.starts_with("http://") && origin.substr(7) == request.authority);
}

std::expected<Fault, std::string> parse_fault(std::string_view form) {
  const auto kind = parse_fault_kind(parameter(form, "fault").value_or(""));
  if (!kind)
    return std::unexpected(fmt::format("fault is one of {}, as in fault=hang", Fault::kinds));
  Fault fault{.kind = *kind};
  if (*kind != Fault::Kind::slow) return fault;
  const auto delay = parameter(form, "ms");
  if (!delay) return fault;
  const auto ms = std::chrono::milliseconds(number(*delay).value_or(0));
  if (ms.count() == 0 || ms > Fault::delay_max)
    return std::unexpected("ms is how late an answer is, from 1 to 60000");
  fault.delay = ms;
  return fault;
}

std::string buttons(const Programs::State& program) {
  std::string out;
  for (const auto kind : {Fault::Kind::none, Fault::Kind::slow, Fault::Kind::hang,
                          Fault::Kind::error, Fault::Kind::down})
    out += fmt::format("<button name=fault value={0}{1}>{0}</button> ", text(kind),
                       kind == program.fault.kind ? " disabled" : "");
  return out;
}

constexpr std::string_view page_head =
    R"(<!doctype html><html lang=en><meta charset=utf-8><title>Faults of the garden shop</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
td, th { padding: .25rem .75rem; text-align: left } .broken { color: #b00020; font-weight: 600 }
</style>
<h1>Break something</h1>
<p>Each line is one copy of a service behind the gateway. See how the rest stays healthy:
<a href="http://localhost:9901/services">endpoints</a>,
<a href="http://localhost:9901/metrics">metrics</a>.
<table><tr><th>copy<th>fault<th>switch)";

}  // namespace

Response Control::list(Request& request) const {
  std::string out;
  for (const Programs::State& s : programs_.states())
    out += fmt::format("{}{}:{}", out.empty() ? "{" : ",", json_text(s.name), json_of(s.fault));
  return json(request, out + "}");
}

Response Control::page(Request& request) const {
  std::string out(page_head);
  for (const Programs::State& s : programs_.states())
    out += fmt::format("\n<tr><td>{0}<td{1}>{2}<td><form method=post action=/faults/{0}>{3}</form>",
                       s.name, s.fault.kind == Fault::Kind::none ? "" : " class=broken",
                       text(s.fault.kind), buttons(s));
  return make_response(request, 200, "text/html; charset=utf-8", out + "\n</table>\n");
}

std::optional<Fault> Control::find(std::string_view name) const {
  for (const Programs::State& s : programs_.states())
    if (s.name == name) return s.fault;
  return std::nullopt;
}

Task<Reply> Control::change(Request& request, std::string_view name) {
  if (!from_here(request))
    co_return respond(request.arena, 403, "the fault switch is for this machine", Side::client);
  const std::string form = TRY(co_await read_form(request, form_bytes_max));
  const auto fault = parse_fault(form);
  if (!fault) co_return bad_request(request, fault.error());
  if (const auto set = co_await programs_.set(name, *fault); !set)
    co_return respond(request.arena, 409, set.error(), Side::self);
  if (request.headers.get("accept").find("text/html") == std::string_view::npos)
    co_return json(request, json_of(*fault));
  Response rsp = make_response(request, 303);
  rsp.headers->add(Name::location, "/");
  co_return rsp;
}

Task<Reply> Control::call(Request& request) {
  const Segments path(request.target.path);
  const bool all = path.size() == 1 && path[0] == "faults";
  if (path.size() == 0 || all) {
    if (!is_read(request)) co_return not_allowed(request);
    co_return all ? list(request) : page(request);
  }
  if (path.size() != 2 || path[0] != "faults") co_return not_found(request);
  const auto fault = find(path[1]);
  if (!fault) co_return not_found(request, "the shop has no such copy; GET /faults names them");
  if (is_read(request)) co_return json(request, json_of(*fault));
  if (request.method != Method::post) co_return not_allowed(request, "GET, HEAD, POST");
  co_return co_await change(request, path[1]);
}

}  // namespace banyan::demo
