// ServiceCall: a service of the demo called directly: a request in, an answer out, in virtual time.
// Owner: the test.
#pragma once
#include <gtest/gtest.h>

#include "service/respond.h"
#include "service/service.h"
#include "sim/run.h"

namespace banyan::demo {

struct Answer {
  uint16_t status = 0;
  std::string text;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string field(std::string_view name) const {
    for (const auto& [n, v] : fields)
      if (iequal(n, name)) return v;
    return {};
  }
};

inline Task<std::string> read_all(Body* body) {
  std::string text;
  while (body != nullptr) {
    auto piece = co_await body->read();
    EXPECT_TRUE(piece.has_value());
    if (!piece || piece->empty()) break;
    text += *piece;
  }
  co_return text;
}

class ServiceCall : public testing::Test {
 protected:
  // `ask` as in "GET /products/1"; `content` is sent when it is not empty.
  Answer call(Service& service, std::string_view ask, std::string content = "") {
    return sim.run([&] { return converse(service, ask, std::move(content)); });
  }
  Task<Answer> converse(Service& service, std::string_view ask, std::string content) {
    Arena arena;
    Headers headers(arena);
    for (const auto& [name, value] : fields) headers.add(name, value);
    Record record;
    const Address client = *parse_address("192.0.2.1:5000");
    const size_t space = ask.find(' ');
    const Method method = parse_method(ask.substr(0, space));
    const auto target = parse_target(method, ask.substr(space + 1), PathRules{}, arena);
    TextBody body(std::move(content));
    Request request{.arena = arena,
                    .method = method,
                    .method_text = ask.substr(0, space),
                    .target = target.value(),
                    .authority = host,
                    .host = host,
                    .headers = headers,
                    .body = body.ended() ? nullptr : &body,
                    .client = client,
                    .record = record};
    auto reply = co_await service.call(request);
    // As the handler does.
    if (!reply) reply = respond(arena, reply.error());
    Answer answer;
    answer.status = reply->status;
    for (const Field& f : *reply->headers) answer.fields.emplace_back(f.name, f.value);
    answer.text = co_await read_all(reply->body.get());
    co_return answer;
  }

  Sim sim;
  std::string_view host = "shop.example";
  std::vector<std::pair<std::string_view, std::string_view>> fields;
};

}  // namespace banyan::demo
