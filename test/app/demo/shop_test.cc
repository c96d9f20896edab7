// The shop over real sockets: it serves, says which port is taken, and stops with clients on it.
#include "app/demo/shop.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/demo/json_check.h"

namespace banyan {
namespace {

// A blocking client: no read waits longer than 10 s.
class Client {
 public:
  explicit Client(const Address& to) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage where;
    unsigned size = 0;
    const timeval limit{.tv_sec = 10};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_TRUE(to_sockaddr(to, where, size));
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&where), size), 0);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(socket_); }

  void send(std::string_view text) {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Until the connection ends.
  std::string read_all() {
    std::string all;
    char buffer[4096];
    for (;;) {
      const ssize_t n = ::recv(socket_, buffer, sizeof buffer, 0);
      if (n <= 0) return n < 0 ? "(failed) " + all : all;
      all.append(buffer, static_cast<size_t>(n));
    }
  }
  // Until there are `size` bytes.
  std::string read(size_t size) {
    std::string all(size, '\0');
    const ssize_t n = ::recv(socket_, all.data(), size, MSG_WAITALL);
    all.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return all;
  }

 private:
  const int socket_;
};

const Address& address(const Shop& shop, std::string_view name) {
  for (const Shop::Place& p : shop.addresses())
    if (p.name == name) return p.address;
  static const Address none;
  ADD_FAILURE() << "no service " << name;
  return none;
}

std::string ask(const Shop& shop, std::string_view who, std::string_view request_line) {
  Client client(address(shop, who));
  client.send(std::string(request_line) +
              " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return client.read_all();
}

std::unique_ptr<Shop> open_shop() {
  auto shop = Shop::start(Shop::any_ports);
  EXPECT_TRUE(shop.has_value()) << shop.error();
  return shop ? std::move(*shop) : nullptr;
}

std::string content(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

TEST(Shop, EveryServiceAnswersOnItsPort) {
  const auto shop = open_shop();
  ASSERT_EQ(shop->addresses().size(), 7u);
  for (const Shop::Place& p : shop->addresses())
    EXPECT_EQ(content(ask(*shop, p.name, "GET /healthz")), "ok\n") << p.name;
  struct {
    const char* who;
    const char* path;
  } const asks[] = {{"catalog-1", "/products/1"},  {"catalog-2", "/products"},
                    {"catalog-v3", "/products/1"}, {"reviews-1", "/products/1/reviews?limit=1"},
                    {"sellers-1", "/sellers/2"},   {"stock-1", "/stock?skus=BAN-S,OLV-S"}};
  for (const auto& a : asks) {
    const std::string answer = ask(*shop, a.who, std::string("GET ") + a.path);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find(std::string("x-served-by: ") + a.who + "\r\n"), std::string::npos);
    EXPECT_TRUE(is_json(content(answer))) << answer;
  }
}

TEST(Shop, HeadTellsTheLengthOfGet) {
  const auto shop = open_shop();
  const std::string get = ask(*shop, "catalog-1", "GET /products/1");
  const std::string head = ask(*shop, "catalog-1", "HEAD /products/1");
  EXPECT_EQ(content(head), "");
  const std::string length = "content-length: " + std::to_string(content(get).size()) + "\r\n";
  EXPECT_NE(head.find(length), std::string::npos) << head;
}

TEST(Shop, WhatIsNoHttpGetsAnAnswerToo) {
  const auto shop = open_shop();
  Client client(address(*shop, "monolith"));
  client.send("HELLO\r\n\r\n");
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

TEST(Shop, AFormOverTheBoundIsRefused) {
  const auto shop = open_shop();
  Client client(address(*shop, "monolith"));
  client.send("POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n");
  EXPECT_EQ(client.read(12), "HTTP/1.1 413");
}

TEST(Shop, SaysWhichPortIsTaken) {
  const auto first = open_shop();
  const uint16_t taken = address(*first, "sellers-1").port;
  Shop::Ports ports = Shop::any_ports;
  ports.sellers = taken;
  const auto second = Shop::start(ports);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().find("port " + std::to_string(taken) + " "), std::string::npos);
  EXPECT_NE(second.error().find("sellers-1"), std::string::npos) << second.error();
  EXPECT_NE(second.error().find("in use"), std::string::npos) << second.error();
  // The one that was there first goes on.
  EXPECT_EQ(content(ask(*first, "sellers-1", "GET /healthz")), "ok\n");
}

// The fault switch, as curl uses it.
std::string switch_fault(const Shop& shop, std::string_view copy, std::string_view form,
                         std::string_view more = "") {
  Client client(shop.control());
  client.send("POST /faults/" + std::string(copy) +
              " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
              std::to_string(form.size()) + "\r\n" + std::string(more) + "\r\n" +
              std::string(form));
  return client.read_all();
}

bool refuses(const Address& to) {
  sockaddr_storage where;
  unsigned size = 0;
  EXPECT_TRUE(to_sockaddr(to, where, size));
  const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool refused =
      ::connect(s, reinterpret_cast<sockaddr*>(&where), size) != 0 && errno == ECONNREFUSED;
  ::close(s);
  return refused;
}

TEST(Shop, ACopyThatIsDownRefusesAndComesBackOnItsPort) {
  const auto shop = open_shop();
  Client kept(address(*shop, "sellers-1"));
  kept.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(kept.read(12), "HTTP/1.1 200");
  EXPECT_EQ(content(switch_fault(*shop, "sellers-1", "fault=down")), "{\"fault\":\"down\"}\n");
  EXPECT_TRUE(refuses(address(*shop, "sellers-1")));
  (void)kept.read_all();  // ends
  EXPECT_EQ(content(ask(*shop, "stock-1", "GET /healthz")), "ok\n") << "the others go on";
  EXPECT_EQ(content(switch_fault(*shop, "sellers-1", "fault=down")), "{\"fault\":\"down\"}\n");
  EXPECT_EQ(content(switch_fault(*shop, "sellers-1", "fault=none")), "{\"fault\":\"none\"}\n");
  EXPECT_EQ(content(ask(*shop, "sellers-1", "GET /healthz")), "ok\n");
}

TEST(Shop, AnErrorCanBeSwitchedOn) {
  const auto shop = open_shop();
  (void)switch_fault(*shop, "stock-1", "fault=error");
  EXPECT_TRUE(ask(*shop, "stock-1", "GET /healthz").starts_with("HTTP/1.1 500 "));
  (void)switch_fault(*shop, "stock-1", "fault=none");
  EXPECT_EQ(content(ask(*shop, "stock-1", "GET /healthz")), "ok\n");
}

TEST(Shop, AnotherSitesPageCannotPressTheSwitch) {
  const auto shop = open_shop();
  for (const char* more : {"Origin: http://evil.example\r\n", "Origin: null\r\n"})
    EXPECT_TRUE(switch_fault(*shop, "stock-1", "fault=down", more).starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(switch_fault(*shop, "stock-1", "fault=hang", "Origin: http://localhost\r\n")
                  .starts_with("HTTP/1.1 200 "));
}

TEST(Shop, StopsWithCopiesInEveryFault) {
  auto shop = open_shop();
  for (const char* to : {"catalog-1", "catalog-2"}) (void)switch_fault(*shop, to, "fault=hang");
  (void)switch_fault(*shop, "monolith", "fault=down");
  Client waiting(address(*shop, "catalog-1"));
  waiting.send("GET /products HTTP/1.1\r\nHost: x\r\n\r\n");
  shop.reset();
  EXPECT_EQ(waiting.read_all().find("product"), std::string::npos);
}

TEST(Shop, StopsWithClientsInEveryState) {
  auto shop = open_shop();
  Client silent(address(*shop, "catalog-1"));
  Client half(address(*shop, "reviews-1"));
  half.send("GET /prod");
  Client waiting(address(*shop, "monolith"));
  waiting.send("GET /report HTTP/1.1\r\nHost: x\r\n\r\n");
  Client kept(address(*shop, "stock-1"));
  kept.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(kept.read(12), "HTTP/1.1 200");
  shop.reset();
  // Nobody waits for ever: whatever was sent, the connection has ended.
  for (Client* c : {&silent, &half, &waiting, &kept}) {
    const std::string rest = c->read_all();
    EXPECT_EQ(rest.find("Report"), std::string::npos) << rest;
  }
}

TEST(Shop, StopsBeforeAnybodyCame) {
  for (int i = 0; i < 20; ++i) open_shop().reset();
}

TEST(Shop, ItsPortsAreFreeAfterTheStop) {
  auto shop = open_shop();
  Shop::Ports again = Shop::any_ports;
  again.stock = address(*shop, "stock-1").port;
  shop.reset();
  const auto second = Shop::start(again);
  ASSERT_TRUE(second.has_value()) << second.error();
  EXPECT_EQ(content(ask(**second, "stock-1", "GET /healthz")), "ok\n");
}

}  // namespace
}  // namespace banyan
