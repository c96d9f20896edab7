#include "app/demo/answer.h"

#include "service/respond.h"

namespace banyan::demo {

namespace {

std::string decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (text[i] == '%' && high >= 0 && low >= 0) {
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Segments::Segments(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty()) return;
  for (;;) {
    const size_t slash = path.find('/');
    at_[size_++] = path.substr(0, slash);
    if (slash == std::string_view::npos || size_ == at_.size()) return;
    path.remove_prefix(slash + 1);
  }
}

std::optional<std::string> parameter(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const size_t end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    const size_t equals = pair.find('=');
    if (decode(pair.substr(0, equals)) == name)
      return equals == std::string_view::npos ? std::string() : decode(pair.substr(equals + 1));
    form = end == std::string_view::npos ? std::string_view{} : form.substr(end + 1);
  }
  return std::nullopt;
}

std::optional<uint32_t> number(std::string_view digits) {
  const auto n = parse_u64(digits);
  if (!n || *n > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(*n);
}

Task<Result<std::string>> read_form(Request& request, size_t bytes_max) {
  std::string form;
  if (request.body == nullptr) co_return form;
  for (;;) {
    const Bytes piece = TRY(co_await request.body->read());
    if (piece.empty()) co_return form;
    if (form.size() + piece.size() > bytes_max)
      co_return fail({Code::too_large, Side::client, false, 413, "the form is too long"});
    form += piece;
  }
}

bool is_read(const Request& request) {
  return request.method == Method::get || request.method == Method::head;
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out += '"';
}

Response json(Request& request, std::string content) {
  return make_response(request, 200, "application/json", std::move(content += '\n'));
}

Response bad_request(Request& request, std::string_view what) {
  return respond(request.arena, 400, what, Side::client);
}

Response not_found(Request& request, std::string_view what) {
  return respond(request.arena, 404, what, Side::client);
}

Response not_allowed(Request& request, std::string_view allow) {
  Response rsp = respond(request.arena, 405, "this path does not take the method", Side::client);
  rsp.headers->add(Name::allow, allow);
  return rsp;
}

}  // namespace banyan::demo
