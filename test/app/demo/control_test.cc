// The fault switch of the demo, called directly, in virtual time; and what a fault does to a copy.
#include "app/demo/control.h"

#include <gtest/gtest.h>

#include "app/demo/instance.h"
#include "app/demo/json_check.h"
#include "app/demo/sellers.h"
#include "app/demo/service_call.h"

namespace banyan::demo {
namespace {

using namespace std::chrono_literals;

class Copies final : public Programs {
 public:
  std::vector<State> states() const override { return all; }
  Task<std::expected<void, std::string>> set(std::string_view name, Fault fault) override {
    if (stuck) co_return std::unexpected("port 9003 is not free");
    for (State& s : all)
      if (s.name == name) s.fault = fault;
    co_return std::expected<void, std::string>{};
  }
  std::vector<State> all = {{"catalog-1", {}}, {"reviews-1", {}}};
  bool stuck = false;
};

class DemoControl : public ServiceCall {
 protected:
  DemoControl() { host = "localhost"; }
  Answer post(std::string_view copy, std::string form) {
    return call(control, "POST /faults/" + std::string(copy), std::move(form));
  }
  Copies copies;
  Control control{copies};
};

TEST_F(DemoControl, SaysWhatIsWrongWithWhom) {
  EXPECT_EQ(call(control, "GET /faults").text,
            "{\"catalog-1\":{\"fault\":\"none\"},\"reviews-1\":{\"fault\":\"none\"}}\n");
  EXPECT_EQ(post("reviews-1", "fault=slow&ms=800").text, "{\"fault\":\"slow\",\"ms\":800}\n");
  EXPECT_EQ(call(control, "GET /faults/reviews-1").text, "{\"fault\":\"slow\",\"ms\":800}\n");
  EXPECT_TRUE(is_json(call(control, "GET /faults").text));
  EXPECT_EQ(copies.all[0].fault, Fault{});
}

TEST_F(DemoControl, EveryFaultHasItsWordAndItsButton) {
  for (const char* word : {"none", "slow", "hang", "error", "down"}) {
    EXPECT_EQ(post("catalog-1", std::string("fault=") + word).status, 200) << word;
    const std::string page = call(control, "GET /").text;
    EXPECT_NE(page.find(std::string("value=") + word + " disabled"), std::string::npos) << page;
    EXPECT_NE(Fault::kinds.find(word), std::string_view::npos);
  }
}

TEST_F(DemoControl, ThePageComesBackAfterAButton) {
  fields = {{"accept", "text/html,*/*"}, {"origin", "http://localhost"}};
  const Answer answer = post("catalog-1", "fault=hang");
  EXPECT_EQ(answer.status, 303);
  EXPECT_EQ(answer.field("location"), "/");
  EXPECT_EQ(copies.all[0].fault.kind, Fault::Kind::hang);
}

TEST_F(DemoControl, WhatIsWrongIsSaid) {
  EXPECT_EQ(post("catalog-1", "fault=tired").status, 400);
  EXPECT_EQ(post("catalog-1", "").status, 400);
  EXPECT_EQ(post("catalog-1", "fault=slow&ms=0").status, 400);
  EXPECT_EQ(post("catalog-1", "fault=slow&ms=60001").status, 400);
  EXPECT_EQ(post("catalog-1", "fault=slow&ms=soon").status, 400);
  EXPECT_EQ(post("catalog-1", std::string(2000, 'x')).status, 413);
  EXPECT_EQ(post("dog-1", "fault=hang").status, 404);
  EXPECT_EQ(call(control, "DELETE /faults/catalog-1").status, 405);
  EXPECT_EQ(call(control, "POST /faults").status, 405);
  EXPECT_EQ(call(control, "GET /nothing").status, 404);
  copies.stuck = true;
  const Answer stuck = post("catalog-1", "fault=none");
  EXPECT_EQ(stuck.status, 409);
  EXPECT_NE(stuck.text.find("9003"), std::string::npos);
  for (const auto& s : copies.all) EXPECT_EQ(s.fault, Fault{});
}

TEST_F(DemoControl, OtherNamesAndOtherSitesAreRefused) {
  fields = {{"origin", "http://evil.example"}};
  EXPECT_EQ(post("catalog-1", "fault=hang").status, 403);
  fields.clear();
  host = "rebound.example";
  EXPECT_EQ(post("catalog-1", "fault=hang").status, 403);
  EXPECT_EQ(copies.all[0].fault, Fault{});
}

TEST_F(DemoControl, ACopyShowsItsFault) {
  Fault fault;
  Instance copy(std::make_shared<Sellers>(), "sellers-1", fault);
  EXPECT_EQ(call(copy, "GET /sellers/1").status, 200);
  fault = {.kind = Fault::Kind::error};
  const Answer error = call(copy, "GET /sellers/1");
  EXPECT_EQ(error.status, 500);
  fault = {.kind = Fault::Kind::slow, .delay = 700ms};
  const Time before = sim.loop().now();
  EXPECT_EQ(call(copy, "GET /healthz").text, "ok\n");
  EXPECT_EQ(sim.loop().now() - before, 700ms);
}

TEST_F(DemoControl, ACopyThatHangsAnswersNobodyWhoIsPatientForAMinute) {
  const Fault fault{.kind = Fault::Kind::hang};
  Instance copy(std::make_shared<Sellers>(), "sellers-1", fault);
  const Time before = sim.loop().now();
  EXPECT_EQ(call(copy, "GET /healthz").status, 200);
  EXPECT_GE(sim.loop().now() - before, 1min);
}

}  // namespace
}  // namespace banyan::demo
