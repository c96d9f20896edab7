#include "patterns/ambassador/token_source.h"

#include <simdjson.h>

#include <algorithm>

#include "base/text.h"

namespace banyan {

namespace {

constexpr size_t grant_bytes_max = 64 * 1024;
constexpr size_t token_bytes_max = 16 * 1024;

// application/x-www-form-urlencoded (WHATWG URL, section 5.2).
std::string form_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '*')
      out += c;
    else if (c == ' ')
      out += '+';
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

std::string base64(std::string_view text) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j)
      out += i + j <= text.size() ? digits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

Error refused(const char* what) { return {Code::unavailable, Side::upstream, true, 502, what}; }

Task<Result<std::string>> read_all(Body* body) {
  std::string out;
  while (body != nullptr && !body->ended()) {
    const Bytes piece = TRY(co_await body->read());
    if (piece.empty()) break;
    if (out.size() + piece.size() > grant_bytes_max)
      co_return fail(refused("the answer of the token's server is too long"));
    out += piece;
  }
  co_return out;
}

}  // namespace

std::string grant_request(const OAuth2Settings& settings) {
  std::string out = "grant_type=client_credentials";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out.append("&").append(name).append("=").append(form_encoded(value));
  };
  add("scope", settings.scope);
  add("audience", settings.audience);
  if (settings.auth == ClientAuth::post) {
    add("client_id", settings.client_id);
    add("client_secret", settings.client_secret.text);
  }
  return out;
}

std::optional<Grant> parse_grant(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  std::string_view token, type;
  if (document["access_token"].get(token) != simdjson::SUCCESS || token.empty() ||
      token.size() > token_bytes_max)
    return std::nullopt;
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; })) return std::nullopt;
  if (document["token_type"].get(type) == simdjson::SUCCESS && !iequal(type, "bearer"))
    return std::nullopt;
  Grant out{.token = std::string(token)};
  double seconds = 0;
  std::string_view text;
  if (document["expires_in"].get(text) == simdjson::SUCCESS) {
    if (const auto number = parse_u64(text)) seconds = static_cast<double>(*number);
  } else if (document["expires_in"].get(seconds) != simdjson::SUCCESS) {
    seconds = 0;
  }
  if (seconds > 0) {
    const double most = std::chrono::duration<double>(TokenStore::life_max).count();
    out.life = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(std::min(seconds, most)));
  }
  return out;
}

Task<Result<TokenPtr>> TokenSource::get() {
  // Each time somebody's fetch ends; one that was called off is begun anew.
  TokenStore::View view;
  for (int tries = 0; tries < 3; ++tries) {
    view = store_->look(loop_.now());
    if (view.fetch) start_fetch();
    if (view.token != nullptr) co_return view.token;
    if (!view.awaited) break;
    const auto signal = std::make_shared<TokenStore::Signal>(loop_);
    store_->wait(signal);
    TRY(co_await signal->event.wait());
  }
  co_return fail(refused(view.why));
}

void TokenSource::start_fetch() {
  const bool started = tasks_.start([self = shared_from_this()] { return self->fetch(); });
  if (!started) store_->given_up(loop_);
}

Task<> TokenSource::fetch() {
  const Context& context = co_await current_context();
  const auto answer = co_await ask();
  if (context.cancel.requested()) co_return store_->given_up(loop_);
  if (!answer) co_return store_->failed(answer.error().what, loop_);
  const auto grant = parse_grant(*answer);
  if (!grant)
    co_return store_->failed("what the token's server answered is no token for us", loop_);
  store_->granted(grant->token, grant->life, loop_);
}

// The content of the answer, when it is a 200.
Task<Result<std::string>> TokenSource::ask() {
  Arena arena;
  Headers headers(arena);
  headers.add(Name::host, url_.authority);
  headers.add(Name::accept, "application/json");
  headers.add(Name::content_type, "application/x-www-form-urlencoded");
  headers.add(Name::user_agent, "banyan");
  if (settings_.auth == ClientAuth::basic)
    headers.add(Name::authorization,
                arena.copy("Basic " + base64(form_encoded(settings_.client_id) + ":" +
                                             form_encoded(settings_.client_secret.text))));
  Record record;
  record.started = record.received = loop_.now();
  const Address nobody;
  TextBody content(grant_request(settings_));
  Nursery background(co_await current_context());
  Request request{.arena = arena,
                  .method = Method::post,
                  .method_text = "POST",
                  .target = {.path = url_.path, .forward = url_.path},
                  .authority = url_.authority,
                  .headers = headers,
                  .body = &content,
                  .client = nobody,
                  .background = &background,
                  .record = record};
  Result<std::string> out = fail(refused("the token's server did not answer 200"));
  {
    auto reply = co_await server_->call(request);
    if (!reply)
      out = std::unexpected(reply.error());
    else if (reply->status == 200)
      out = co_await read_all(reply->body.get());
  }
  background.cancel();
  co_await background.join();
  co_return out;
}

}  // namespace banyan
