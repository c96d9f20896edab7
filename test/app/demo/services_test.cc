// The services of the demo, called directly: a request in, an answer out, in virtual time.
#include <gtest/gtest.h>

#include "app/demo/answer.h"
#include "app/demo/catalog.h"
#include "app/demo/goods.h"
#include "app/demo/instance.h"
#include "app/demo/json_check.h"
#include "app/demo/monolith.h"
#include "app/demo/reviews.h"
#include "app/demo/sellers.h"
#include "app/demo/service_call.h"
#include "app/demo/stock.h"

namespace banyan::demo {
namespace {

using namespace std::chrono_literals;

class DemoServices : public ServiceCall {
 protected:
  Catalog catalog{1};
  Catalog catalog_v3{3};
  Reviews reviews;
  Sellers sellers;
  Stock stock;
  Monolith monolith;
};

TEST_F(DemoServices, TheCatalogTellsAProduct) {
  const Answer a = call(catalog, "GET /products/2");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.field("content-type"), "application/json");
  EXPECT_EQ(a.text,
            R"({"id":2,"name":"Olive tree","price":59.00,"currency":"EUR","seller_id":1,)"
            R"("variants":[{"sku":"OLV-S","label":"60 cm"},{"sku":"OLV-L","label":"old stem, )"
            R"(1.5 m"}]})"
            "\n");
}

TEST_F(DemoServices, VersionThreeDiffersByOneMember) {
  const std::string v1 = call(catalog, "GET /products/5").text;
  const std::string v3 = call(catalog_v3, "GET /products/5").text;
  ASSERT_TRUE(v1.ends_with("}\n"));
  EXPECT_EQ(v3, v1.substr(0, v1.size() - 2) + ",\"version\":3}\n");
}

TEST_F(DemoServices, EveryAnswerInJsonIsWellFormed) {
  for (Catalog* c : {&catalog, &catalog_v3}) {
    EXPECT_TRUE(is_json(call(*c, "GET /products").text));
    for (const Product& p : products()) {
      const std::string id = std::to_string(p.id);
      EXPECT_TRUE(is_json(call(*c, "GET /products/" + id).text)) << id;
      EXPECT_TRUE(is_json(call(reviews, "GET /products/" + id + "/reviews").text)) << id;
    }
  }
  for (const Seller& s : demo::sellers())
    EXPECT_TRUE(is_json(call(sellers, "GET /sellers/" + std::to_string(s.id)).text)) << s.id;
  EXPECT_TRUE(is_json(call(stock, "GET /stock?skus=BAN-S,NONE,OLV-L").text));
  EXPECT_TRUE(is_json(call(catalog, "GET /products/999").text));
}

TEST_F(DemoServices, TheGoodsFitTogether) {
  for (const Product& p : products()) {
    EXPECT_NE(find_seller(p.seller_id), nullptr) << p.name;
    ASSERT_FALSE(p.variants.empty()) << p.name;
    for (const Variant& v : p.variants) {
      EXPECT_EQ(find_variant(v.sku), &v) << v.sku << " is there twice";
      EXPECT_EQ(call(stock, "GET /stock/" + std::string(v.sku)).status, 200) << v.sku;
    }
  }
  for (const Review& r : demo::reviews()) {
    EXPECT_NE(find_product(r.product_id), nullptr) << r.text;
    EXPECT_TRUE(r.stars >= 1 && r.stars <= 5) << r.text;
  }
}

size_t count(std::string_view text, std::string_view word) {
  size_t n = 0;
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++n;
  return n;
}

TEST_F(DemoServices, ReviewsAreLimited) {
  EXPECT_EQ(count(call(reviews, "GET /products/1/reviews").text, "\"stars\""), 6u);
  const Answer two = call(reviews, "GET /products/1/reviews?x=1&limit=2");
  EXPECT_EQ(count(two.text, "\"stars\""), 2u);
  EXPECT_TRUE(two.text.starts_with(R"([{"stars":5,"author":"Maya",)")) << two.text;
  EXPECT_EQ(call(reviews, "GET /products/1/reviews?limit=50").status, 200);
}

TEST_F(DemoServices, StockAnswersABatchInItsOrder) {
  EXPECT_EQ(call(stock, "GET /stock/MPL-G").text, "{\"sku\":\"MPL-G\",\"in_stock\":0}\n");
  const std::string both = R"([{"sku":"OLV-L","in_stock":3},{"sku":"BAN-L","in_stock":2}])"
                           "\n";
  EXPECT_EQ(call(stock, "GET /stock?skus=OLV-L,NONE,BAN-L").text, both);
  EXPECT_EQ(call(stock, "GET /stock?skus=OLV-L%2CBAN%2DL").text, both);
  EXPECT_EQ(call(stock, "GET /stock?skus=NONE").text, "[]\n");
}

TEST_F(DemoServices, ABatchIsBounded) {
  std::string fifty = "GET /stock?skus=BAN-S";
  for (int i = 1; i < 50; ++i) fifty += ",BAN-S";
  EXPECT_EQ(call(stock, fifty).status, 200);
  const Answer more = call(stock, fifty + ",BAN-S");
  EXPECT_EQ(more.status, 400);
  EXPECT_NE(more.text.find("at most 50"), std::string::npos) << more.text;
}

struct Refused {
  enum Who { to_catalog, to_reviews, to_sellers, to_stock, to_monolith } who;
  const char* ask;
  uint16_t status;
};
const Refused refused[] = {
    {Refused::to_catalog, "GET /", 404},
    {Refused::to_catalog, "GET /Products", 404},
    {Refused::to_catalog, "GET /products/", 400},
    {Refused::to_catalog, "GET /products/9", 404},
    {Refused::to_catalog, "GET /products/1/", 404},
    {Refused::to_catalog, "GET /products/1/2/3/4/5/6", 404},
    {Refused::to_catalog, "GET /products/abc", 400},
    {Refused::to_catalog, "GET /products/-1", 400},
    {Refused::to_catalog, "GET /products/1%200", 400},
    {Refused::to_catalog, "GET /products/4294967297", 400},
    {Refused::to_catalog, "GET /products/99999999999999999999999", 400},
    {Refused::to_catalog, "POST /products", 405},
    {Refused::to_catalog, "DELETE /products/1", 405},
    {Refused::to_reviews, "GET /products/1", 404},
    {Refused::to_reviews, "GET /products/1/reviews/2", 404},
    {Refused::to_reviews, "GET /products/x/reviews", 400},
    {Refused::to_reviews, "GET /products/9/reviews", 404},
    {Refused::to_reviews, "GET /products/1/reviews?limit=0", 400},
    {Refused::to_reviews, "GET /products/1/reviews?limit=51", 400},
    {Refused::to_reviews, "GET /products/1/reviews?limit=", 400},
    {Refused::to_reviews, "GET /products/1/reviews?limit", 400},
    {Refused::to_reviews, "GET /products/1/reviews?limit=1e1", 400},
    {Refused::to_reviews, "GET /products/1/reviews?limit=18446744073709551617", 400},
    {Refused::to_reviews, "PUT /products/1/reviews", 405},
    {Refused::to_sellers, "GET /sellers", 404},
    {Refused::to_sellers, "GET /sellers/4", 404},
    {Refused::to_sellers, "GET /sellers/1a", 400},
    {Refused::to_sellers, "POST /sellers/1", 405},
    {Refused::to_stock, "GET /stock", 400},
    {Refused::to_stock, "GET /stock?skus=", 400},
    {Refused::to_stock, "GET /stock?skus=BAN-S,,BAN-M", 400},
    {Refused::to_stock, "GET /stock?skus=ban-s", 400},
    {Refused::to_stock, "GET /stock/NONE", 404},
    {Refused::to_stock, "GET /stock/%3Cscript%3E", 400},
    {Refused::to_stock, "GET /stock/ABCDEFGHIJKLMNOPQ", 400},
    {Refused::to_stock, "GET /stock/BAN-S/x", 404},
    {Refused::to_stock, "PATCH /stock/BAN-S", 405},
    {Refused::to_monolith, "GET /nowhere", 404},
    {Refused::to_monolith, "GET /orders/1000", 404},
    {Refused::to_monolith, "GET /orders/1100", 404},
    {Refused::to_monolith, "GET /orders/9001", 404},
    {Refused::to_monolith, "GET /orders/x", 404},
    {Refused::to_monolith, "POST /about", 405},
    {Refused::to_monolith, "DELETE /orders", 405},
};

TEST_F(DemoServices, WhatIsWrongIsRefusedAndSaid) {
  Service* const all[] = {&catalog, &reviews, &sellers, &stock, &monolith};
  for (const Refused& r : refused) {
    const Answer a = call(*all[r.who], r.ask);
    EXPECT_EQ(a.status, r.status) << r.ask;
    EXPECT_FALSE(a.text.empty()) << r.ask;
    EXPECT_EQ(a.field("allow").empty(), r.status != 405) << r.ask;
    const bool html = r.who == Refused::to_monolith && r.status == 404;
    EXPECT_EQ(a.field("content-type"),
              html ? "text/html; charset=utf-8" : "application/problem+json")
        << r.ask;
    EXPECT_TRUE(html || is_json(a.text)) << a.text;
  }
}

TEST_F(DemoServices, HeadIsGetToAService) {
  const Answer get = call(catalog, "GET /products/1");
  const Answer head = call(catalog, "HEAD /products/1");
  EXPECT_EQ(head.status, 200);
  // The server leaves the content out, and tells this length.
  EXPECT_EQ(head.text, get.text);
}

TEST_F(DemoServices, TheMonolithHasPages) {
  for (const char* path : {"/", "/old-home", "/about", "/orders"}) {
    const Answer a = call(monolith, std::string("GET ") + path);
    EXPECT_EQ(a.status, 200) << path;
    EXPECT_EQ(a.field("content-type"), "text/html; charset=utf-8") << path;
    EXPECT_TRUE(a.text.starts_with("<!doctype html>")) << path;
  }
}

TEST_F(DemoServices, AnOrderIsTakenAndFoundAgain) {
  const Answer taken = call(monolith, "POST /orders", "product=3&quantity=2&note=a%20b");
  EXPECT_EQ(taken.status, 303);
  ASSERT_EQ(taken.field("location"), "/orders/3002");
  const Answer found = call(monolith, "GET " + taken.field("location"));
  EXPECT_EQ(found.status, 200);
  EXPECT_NE(found.text.find("2 x Bonsai pine"), std::string::npos) << found.text;
}

TEST_F(DemoServices, ABadFormIsRefused) {
  for (const char* form : {"", "product=3", "product=3&quantity=0", "product=3&quantity=100",
                           "product=77&quantity=1", "quantity=1&product=%33x", "=&=&&"}) {
    EXPECT_EQ(call(monolith, "POST /orders", form).status, 400) << form;
  }
  EXPECT_EQ(
      call(monolith, "POST /orders", "product=3&quantity=1&x=" + std::string(17'000, 'x')).status,
      413);
}

TEST_F(DemoServices, TheOldWayToSayNo) {
  const Answer no = call(monolith, "GET /legacy/customer?no=7");
  EXPECT_EQ(no.status, 200);
  EXPECT_EQ(no.text, R"({"ok":false,"ERR":"E042 NO SUCH CUST"})");
  EXPECT_TRUE(is_json(call(monolith, "GET /legacy/customer?no=2").text));
  EXPECT_NE(call(monolith, "GET /legacy/customer?no=2").text, no.text);
}

TEST_F(DemoServices, TheReportIsSlowByTheClockOfTheLoop) {
  const Duration before = sim.elapsed();
  EXPECT_EQ(call(monolith, "GET /report").status, 200);
  EXPECT_EQ(sim.elapsed() - before, 300ms);
}

TEST_F(DemoServices, TheReportCanBeCalledOff) {
  const auto answer = sim.run([&]() -> Task<Answer> {
    co_return co_await within{100ms, converse(monolith, "GET /report", "")};
  });
  EXPECT_EQ(sim.elapsed(), 100ms);
  EXPECT_EQ(answer.status, 504);
}

TEST_F(DemoServices, EchoTellsWhatArrived) {
  fields = {{"Host", "shop.example"}, {"via", "1.1 banyan"}, {"X-Twice", "1"}, {"X-Twice", "2"}};
  EXPECT_EQ(call(monolith, "GET /echo?a=b").text,
            "GET /echo?a=b HTTP/1.1\nHost: shop.example\nvia: 1.1 banyan\nX-Twice: 1\nX-Twice: "
            "2\n");
  fields = {};
  EXPECT_EQ(call(monolith, "PUT /echo", "hello").text,
            "PUT /echo HTTP/1.1\n\n(5 bytes of content)\n");
}

TEST_F(DemoServices, AnInstanceSaysWhoItIs) {
  const Fault none;
  Instance instance(std::make_shared<Catalog>(1), "catalog-2", none);
  EXPECT_EQ(call(instance, "GET /products/1").field("x-served-by"), "catalog-2");
  EXPECT_EQ(call(instance, "GET /products/77").field("x-served-by"), "catalog-2");
  EXPECT_EQ(call(instance, "GET /healthz").text, "ok\n");
  EXPECT_EQ(call(instance, "POST /healthz").status, 404);
}

TEST(DemoSegments, TakeAPathApart) {
  const Segments root("/");
  EXPECT_EQ(root.size(), 0u);
  const Segments some("/a//b/");
  ASSERT_EQ(some.size(), 4u);
  EXPECT_EQ(some[0], "a");
  EXPECT_EQ(some[1], "");
  EXPECT_EQ(some[2], "b");
  EXPECT_EQ(some[3], "");
  EXPECT_EQ(Segments("/1/2/3/4").size(), 4u);
  EXPECT_EQ(Segments("/1/2/3/4/5/6/7").size(), Segments::max + 1);
  EXPECT_EQ(Segments("*")[0], "*");
}

TEST(DemoParameter, IsDecodedAndTheFirstWins) {
  EXPECT_EQ(parameter("a=1&b=2", "b"), "2");
  EXPECT_EQ(parameter("a=1&a=2", "a"), "1");
  EXPECT_EQ(parameter("a", "a"), "");
  EXPECT_EQ(parameter("a=x%20y+z%2", "a"), "x y z%2");
  EXPECT_EQ(parameter("%61=1", "a"), "1");
  EXPECT_EQ(parameter("a=b=c", "a"), "b=c");
  EXPECT_EQ(parameter("aa=1&&=", "a"), std::nullopt);
  EXPECT_EQ(parameter("", "a"), std::nullopt);
}

TEST(DemoJsonCheck, CanFail) {
  for (const char* good : {"{}", "[1,-2.5,\"\\u00e9\"]", " {\"a\":[true,null]} "})
    EXPECT_TRUE(is_json(good)) << good;
  for (const char* bad : {"", "{", "[1,]", "{\"a\" 1}", "\"a", "01", "1.", "{}{}", "\"\x01\"",
                          "\"\\x\"", "\"\xff\"", "[1 2]"})
    EXPECT_FALSE(is_json(bad)) << bad;
}

}  // namespace
}  // namespace banyan::demo
