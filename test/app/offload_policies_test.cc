// The small policies of the edge in a whole gateway, as users write them: request ids, edits of
// fields, security headers, CORS, rules by address; on answers of services and on our own.
#include <gmock/gmock.h>

#include "app/http2_gateway.h"

namespace banyan {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class OffloadPolicies : public Http2GatewayTest {
 protected:
  OffloadPolicies() {
    sim.serve("10.0.1.1:80", [this](Peer& peer) -> Task<> {
      while (!(asked = co_await peer.read_head()).empty()) {
        ++served;
        co_await peer.send(
            "HTTP/1.1 200 OK\r\nX-Powered-By: php\r\nX-Frame-Options: DENY\r\nVary: "
            "Accept\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n");
      }
    });
  }
  // What a client gets for a request with these fields.
  Task<std::string> ask(std::string_view line, std::string_view fields = "") {
    Peer peer = co_await connect();
    co_await peer.send(std::string(line) + " HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n" +
                       std::string(fields) + "\r\n");
    co_return co_await peer.read_all();
  }
  static std::string faults(std::string_view offload) {
    return load_text(config(offload)).problems.text();
  }
  static std::string value(const std::string& head, std::string_view name) {
    const size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return "-";
    const size_t begin = at + 4 + name.size();
    return head.substr(begin, head.find('\r', begin) - begin);
  }
  std::string asked;
  int served = 0;
};

TEST_F(OffloadPolicies, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_THAT(faults("headers: { request: { set: { content-length: '3' } } }"),
              HasSubstr("frames the message"));
  EXPECT_THAT(faults("headers: { response: { add: { 'a b': c } } }"), HasSubstr("no name"));
  EXPECT_THAT(faults("headers: { response: { set: { a: \"b\\r\\nc: d\" } } }"),
              HasSubstr("control character"));
  EXPECT_THAT(faults("headers: { response: { remove: [connection] } }"), HasSubstr("frames"));
  EXPECT_THAT(faults("cors: { origins: [shop.example] }"), HasSubstr("is no origin"));
  EXPECT_THAT(faults("cors: { origins: ['https://shop.example/x'] }"), HasSubstr("is no origin"));
  EXPECT_THAT(faults("cors: { origins: ['https://shop.example:443'] }"),
              HasSubstr("leave the standard port out"));
  EXPECT_THAT(faults("cors: { origins: ['*'], credentials: true }"), HasSubstr("every page"));
  EXPECT_THAT(faults("ip: { allow: [10.0.0.0/8], deny: [10.0.0.0/8] }"),
              HasSubstr("both allowed and denied"));
  EXPECT_EQ(faults("request_id: true, security_headers: true, cors: { origins: ['null'] }"), "");
}

TEST_F(OffloadPolicies, RequestIds) {
  run(config("request_id: true, forwarded: { trust: [10.0.0.9] }"), [this](SimGateway&) -> Task<> {
    const std::string own = value(co_await ask("GET /"), "x-request-id");
    EXPECT_EQ(own.size(), 36u);
    EXPECT_THAT(asked, HasSubstr("x-request-id: " + own + "\r\n"));
    EXPECT_EQ(value(co_await ask("GET /", "X-Request-Id: abc-1\r\n"), "x-request-id"), "abc-1");
    EXPECT_EQ(value(co_await ask("GET /", "X-Request-Id: a b\r\n"), "x-request-id").size(), 36u);
    EXPECT_EQ(value(co_await ask("GET /", "X-Request-Id: a\r\nX-Request-Id: b\r\n"), "x-request-id")
                  .size(),
              36u);
  });
}

TEST_F(OffloadPolicies, AnIdOfWhoIsNotTrustedIsReplaced) {
  run(config("request_id: true"), [this](SimGateway&) -> Task<> {
    EXPECT_EQ(value(co_await ask("GET /", "X-Request-Id: abc\r\n"), "x-request-id").size(), 36u);
    EXPECT_THAT(asked, Not(HasSubstr("abc")));
  });
}

TEST_F(OffloadPolicies, EditsOfFields) {
  run(config("headers: { request: { set: { x-env: prod }, remove: [cookie] }, response: { remove: "
             "[x-powered-by], set: { server: banyan }, add: { x-a: '1' } } }"),
      [this](SimGateway&) -> Task<> {
        const std::string got = co_await ask("GET /", "Cookie: a=1\r\nX-Env: dev\r\n");
        EXPECT_EQ(value(got, "X-Powered-By"), "-");
        EXPECT_EQ(value(got, "server"), "banyan");
        EXPECT_EQ(value(got, "x-a"), "1");
        EXPECT_THAT(asked, HasSubstr("x-env: prod\r\n"));
        EXPECT_THAT(asked, Not(HasSubstr("dev")));
        EXPECT_THAT(asked, Not(HasSubstr("a=1")));
      });
}

TEST_F(OffloadPolicies, OurOwnAnswersHaveThemToo) {
  run(config("request_id: true, security_headers: true, headers: { response: { set: { x-a: '1' } } "
             "}, cors: { origins: ['https://a.example'] }, ip: { deny: [10.0.0.9] }"),
      [this](SimGateway&) -> Task<> {
        const std::string got = co_await ask("GET /", "Origin: https://a.example\r\n");
        EXPECT_THAT(got, StartsWith("HTTP/1.1 403 "));
        EXPECT_THAT(got, HasSubstr("the client's address is not allowed"));
        EXPECT_EQ(value(got, "x-request-id").size(), 36u);
        EXPECT_EQ(value(got, "x-a"), "1");
        EXPECT_EQ(value(got, "x-content-type-options"), "nosniff");
        EXPECT_EQ(value(got, "access-control-allow-origin"), "https://a.example");
      });
  EXPECT_EQ(served, 0);
}

TEST_F(OffloadPolicies, SecurityHeadersLeaveWhatTheServiceSays) {
  run(config("security_headers: true"), [this](SimGateway&) -> Task<> {
    const std::string got = co_await ask("GET /");
    EXPECT_EQ(value(got, "X-Frame-Options"), "DENY");
    EXPECT_EQ(value(got, "x-frame-options"), "-");
    EXPECT_EQ(value(got, "referrer-policy"), "strict-origin-when-cross-origin");
    EXPECT_EQ(value(got, "strict-transport-security"), "-") << "not over TLS";
  });
}

TEST_F(OffloadPolicies, CorsOfRequests) {
  run(config("cors: { origins: ['https://a.example'], credentials: true, expose: [x-sum] }"),
      [this](SimGateway&) -> Task<> {
        const std::string yes = co_await ask("GET /", "Origin: https://a.example\r\n");
        EXPECT_EQ(value(yes, "access-control-allow-origin"), "https://a.example");
        EXPECT_EQ(value(yes, "access-control-allow-credentials"), "true");
        EXPECT_EQ(value(yes, "access-control-expose-headers"), "x-sum");
        EXPECT_EQ(value(yes, "Access-Control-Allow-Origin"), "-") << "the service's is replaced";
        EXPECT_EQ(value(yes, "vary"), "Origin");
        const std::string no = co_await ask("GET /", "Origin: https://b.example\r\n");
        EXPECT_EQ(value(no, "access-control-allow-origin"), "-");
        EXPECT_EQ(value(no, "vary"), "Origin") << "caches keep them apart";
      });
}

TEST_F(OffloadPolicies, PreflightsReachNoService) {
  run(config("cors: { origins: ['https://a.example'], methods: [GET, PUT], headers: [x-one], "
             "max_age: 5m }"),
      [this](SimGateway&) -> Task<> {
        const std::string asks = "Access-Control-Request-Method: PUT\r\n";
        const std::string yes = co_await ask("OPTIONS /", "Origin: https://a.example\r\n" + asks);
        EXPECT_THAT(yes, StartsWith("HTTP/1.1 204 "));
        EXPECT_EQ(value(yes, "access-control-allow-origin"), "https://a.example");
        EXPECT_EQ(value(yes, "access-control-allow-methods"), "GET, PUT");
        EXPECT_EQ(value(yes, "access-control-allow-headers"), "x-one");
        EXPECT_EQ(value(yes, "access-control-max-age"), "300");
        const std::string no = co_await ask("OPTIONS /", "Origin: https://b.example\r\n" + asks);
        EXPECT_THAT(no, StartsWith("HTTP/1.1 204 "));
        EXPECT_THAT(no, Not(HasSubstr("access-control")));
        EXPECT_EQ(served, 0);
        // An OPTIONS of its own right is the service's.
        EXPECT_THAT(co_await ask("OPTIONS /", "Origin: https://a.example\r\n"),
                    StartsWith("HTTP/1.1 200 "));
        EXPECT_EQ(served, 1);
      });
}

TEST_F(OffloadPolicies, AddressesBehindATrustedPeer) {
  run(config("forwarded: { trust: [10.0.0.9] }, ip: { deny: [192.0.2.0/24] }"),
      [this](SimGateway&) -> Task<> {
        EXPECT_THAT(co_await ask("GET /"), StartsWith("HTTP/1.1 200 "));
        EXPECT_THAT(co_await ask("GET /", "X-Forwarded-For: 192.0.2.7\r\n"),
                    StartsWith("HTTP/1.1 403 "));
        EXPECT_THAT(co_await ask("GET /", "X-Forwarded-For: 192.0.2.7, 198.51.100.1\r\n"),
                    StartsWith("HTTP/1.1 200 "));
      });
  EXPECT_EQ(finished[1], "403 / the client's address is not allowed");
}

}  // namespace
}  // namespace banyan
