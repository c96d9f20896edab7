#include "app/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/compose.h"
#include "app/edge.h"
#include "http/forwarded.h"
#include "http/h1_parse.h"
#include "http/hop.h"
#include "patterns/offloading/forwarded.h"
#include "patterns/routing/explain.h"
#include "patterns/routing/request_value.h"
#include "service/respond.h"
#include "upstream/placement.h"

namespace banyan {

namespace {

// The parts of "https://shop.example:8443/x?y=1" and of "/x?y=1".
struct Url {
  bool secure = false;
  std::string authority;
  std::string target;
};

std::optional<Url> parse_url(std::string_view text) {
  Url out{.target = std::string(text)};
  const size_t scheme = text.find("://");
  if (text.starts_with('/') || text == "*") return out;
  if (scheme == std::string_view::npos) return std::nullopt;
  out.secure = iequal(text.substr(0, scheme), "https");
  if (!out.secure && !iequal(text.substr(0, scheme), "http")) return std::nullopt;
  const std::string_view rest = text.substr(scheme + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  out.authority = rest.substr(0, end);
  out.target = rest.substr(end);
  // A fragment is the client's own business.
  out.target.resize(std::min(out.target.find('#'), out.target.size()));
  if (!out.target.starts_with('/')) out.target.insert(0, "/");
  return out;
}

// The head as a client would send it, so that the parser has its say.
std::string head_text(const ExplainQuery& query, const Url& url) {
  std::string out = query.method + " " + url.target + " HTTP/1.1\r\n";
  const auto is_host = [](const std::string& line) {
    return line.size() > 5 && iequal(std::string_view(line).substr(0, 5), "host:");
  };
  if (std::none_of(query.headers.begin(), query.headers.end(), is_host))
    out += "Host: " + (url.authority.empty() ? "localhost" : url.authority) + "\r\n";
  for (const std::string& line : query.headers) out += line + "\r\n";
  return out + "\r\n";
}

// The listener that the URL's port names, else the first.
const Named<ListenerSettings>& listener_of(const Settings& settings, const Url& url) {
  const auto authority = parse_authority(url.authority);
  const auto port = authority ? parse_u64(authority->port) : std::nullopt;
  for (const auto& listener : settings.listeners) {
    const auto address = parse_address(listener.value.address);
    if (port && address && address->port == *port) return listener;
  }
  return settings.listeners.front();
}

// One request and what is told of it.
class Told final {
 public:
  Told(const Model& model, const ExplainQuery& query, const Url& url)
      : model_(model),
        query_(query),
        url_(url),
        listener_(listener_of(model.settings, url)),
        offload_(merge(listener_.value.offload, model.settings.offload)),
        client_(parse_ip(query.client, 0).value_or(Address{})) {}

  std::expected<std::string, std::string> tell() {
    if (client_.family == Address::Family::none)
      return std::unexpected("the client '" + printable(query_.client) + "' is no IP address");
    const std::string text = head_text(query_, url_);
    if (auto read = this->read(text); !read)
      return std::unexpected(fmt::format("no route is asked: the client gets {}: {}",
                                         status_of(read.error()), read.error().what));
    line("request",
         fmt::format("{} {}{}", head_.method_text, request_->host, request_->target.forward));
    line("listener", fmt::format("{} ({})", listener_.name, listener_.value.address));
    const Explanation why = banyan::explain(*model_.table, model_.matches, *request_);
    tell_winner(why);
    tell_others(why);
    return std::move(out_);
  }

 private:
  // As the connection and the layers above the router would have it.
  Result<> read(const std::string& text) {
    const H1Limits limits = limits_of(offload_);
    HeadScanner scanner(Side::client);
    const size_t size = TRY_RETURN(scanner.find_end(text));
    if (size > limits.head.head_bytes)
      return fail({Code::too_large, Side::client, false, 431,
                   "the request's head is longer than the limit"});
    TRY_RETURN(parse_request_head(text, limits.head, head_));
    const Target target = TRY_RETURN(parse_target(head_.method, head_.target, limits.path, arena_));
    const std::string_view authority = head_.headers.get(Name::host);
    request_.emplace(Request{.arena = arena_,
                             .method = head_.method,
                             .method_text = head_.method_text,
                             .target = target,
                             .authority = authority,
                             .host = lower_host(authority, arena_),
                             .secure = url_.secure,
                             .headers = head_.headers,
                             .client = client_,
                             .record = record_});
    remove_hop_by_hop(head_.headers);
    set_forwarded(*request_,
                  trusts(offload_.forwarded.value_or(ForwardedSettings{}).trust, client_));
    return {};
  }

  void line(std::string_view what, std::string_view text) {
    out_ += fmt::format("{:<10} {}\n", what, text);
  }
  std::string where(size_t route) const {
    return fmt::format("{} ({})", model_.matches[route].name,
                       to_string(place_of(model_.matches[route])));
  }

  void tell_winner(const Explanation& why) {
    if (!why.found) {
      line("answer", why.why);
      return;
    }
    line("route", where(why.found.route));
    line("because", why.why);
    for (const Capture& capture : why.found.captures)
      line("capture", fmt::format("{} = {}", capture.name, capture.value));
    request_->captures = why.found.captures;
    tell_rewrite(model_.table->route(why.found.route));
    out_ += "layers\n";
    for (const LayerNote& note : describe_route(model_, offload_, why.found.route))
      out_ += fmt::format("  {:<18} {}\n", note.role, note.why);
    const RouteEntry& entry = model_.settings.routes[why.found.route];
    if (!entry.to.empty()) tell_endpoint(entry.to);
  }

  void tell_rewrite(const CompiledRoute& route) {
    if (!route.rewrite) return;
    const auto target = route.rewrite->apply(*request_);
    line("rewrite", target ? "the service sees " + std::string(target->forward)
                           : fmt::format("refused with {}: {}", status_of(target.error()),
                                         target.error().what));
  }

  // Down the splits as far as it is known which version gets the request.
  void tell_endpoint(std::string_view name) {
    const auto& services = model_.settings.services;
    for (;;) {
      const auto found = std::find_if(services.begin(), services.end(),
                                      [&](const auto& service) { return service.name == name; });
      const ServiceSettings& service = found->value;
      if (!service.split) return tell_endpoints(found->name, service);
      const auto version = model_.splits.find(name)->second.choose_known(*request_);
      if (!version) return line("version", "by chance, by the weights of " + found->name);
      name = service.split->to[*version].name;
      line("version", std::string(name) + ": where this user's cohort is");
    }
  }

  void tell_endpoints(std::string_view name, const ServiceSettings& service) {
    std::string list;
    for (const EndpointSettings& endpoint : service.endpoints)
      list += (list.empty() ? "" : " or ") + endpoint.url;
    if (!list.empty()) line("endpoint", fmt::format("{} of {}", list, name));
    if (service.use.shard) tell_shard(*service.use.shard, service);
  }

  // Which of the endpoints this tenant has, and whom it can harm.
  void tell_shard(const ShardSettings& shard, const ServiceSettings& service) {
    const auto names = fixed_endpoints(service.endpoints);
    if (names.empty())
      return line("shard", fmt::format("{} of the endpoints, by {}; which ones, and how many there "
                                       "are, the DNS decides",
                                       shard.size, shard.by));
    const auto by = RequestKey::parse(shard.by);
    const std::string_view tenant = by ? by->of(*request_) : std::string_view();
    line("shard", fmt::format("{}: {}", by_text(shard.by, tenant),
                              fmt::join(shard_names(names, tenant, shard.size), ", ")));
    const BlastRadius radius = blast_radius(names.size(), shard.size);
    line("blast", fmt::format("if this tenant breaks its endpoints: {:.1f}% of the others lose one "
                              "or more, {:.1f}% lose all",
                              radius.touched * 100, radius.lost * 100));
  }
  // An IP is bytes, not text.
  static std::string by_text(const std::string& by, std::string_view tenant) {
    if (tenant.empty()) return "of the tenant without " + by;
    return by == "ip" ? "of the tenant with this ip"
                      : fmt::format("of the tenant with {} '{}'", by, printable(tenant));
  }

  void tell_others(const Explanation& why) {
    if (!why.others.empty()) out_ += "others, nearest first\n";
    for (const Explanation::Other& other : why.others)
      out_ += fmt::format("  {}: {}\n", where(other.route), fmt::join(other.reasons, "; "));
  }

  const Model& model_;
  const ExplainQuery& query_;
  const Url& url_;
  const Named<ListenerSettings>& listener_;
  const OffloadSettings offload_;
  const Address client_;
  Arena arena_;
  RequestHead head_{arena_};
  Record record_;
  std::optional<Request> request_;
  std::string out_;
};

}  // namespace

std::expected<ExplainQuery, std::string> explain_query(std::string_view query) {
  ExplainQuery out;
  Arena arena;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    const QueryValue value(pair.substr(std::min(equals + 1, pair.size())));
    std::string text(value.text(arena));
    if (name == "method")
      out.method = std::move(text);
    else if (name == "url")
      out.url = std::move(text);
    else if (name == "header")
      out.headers.push_back(std::move(text));
    else if (name == "client")
      out.client = std::move(text);
    else if (!pair.empty())
      return std::unexpected("'" + printable(name) +
                             "' is not known; known are method, url, header and client");
  }
  if (out.url.empty()) return std::unexpected("wants url=, such as ?method=GET&url=/products/1");
  return out;
}

std::expected<std::string, std::string> explain(const Model& model, const ExplainQuery& query) {
  const auto url = parse_url(query.url);
  if (!url)
    return std::unexpected("the URL '" + printable(query.url) +
                           "' is none; write http://shop.example/x?y=1 or /x");
  return Told(model, query, *url).tell();
}

}  // namespace banyan
