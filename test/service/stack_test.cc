#include "service/stack.h"

#include <gtest/gtest.h>

#include "sim/run.h"

namespace banyan {
namespace {

// Everything that a call needs and no connection gives.
struct Exchange {
  Arena arena;
  Headers headers{arena};
  Address client;
  Record record;
  Request request{.arena = arena, .headers = headers, .client = client, .record = record};
};

class Innermost final : public Service {
 public:
  explicit Innermost(std::string& seen) : seen_(seen) {}
  Task<Reply> call(Request& request) override {
    seen_ += "call ";
    co_return make_response(request, 204);
  }

 private:
  std::string& seen_;
};

// Tells when a request comes in and its answer goes out, or refuses the request.
class Tells final : public Filter {
 public:
  Tells(ServicePtr wrapped, std::string& seen, std::string name, bool refuses = false)
      : Filter(std::move(wrapped)), seen_(seen), name_(std::move(name)), refuses_(refuses) {}
  Task<Reply> call(Request& request) override {
    seen_ += name_ + "> ";
    if (refuses_) co_return fail(Code::overloaded, Side::self, "refused");
    auto rsp = TRY(co_await next->call(request));
    seen_ += "<" + name_ + " ";
    co_return rsp;
  }

 private:
  std::string& seen_;
  const std::string name_;
  const bool refuses_;
};

class StackTest : public testing::Test {
 protected:
  Layer layer(std::string_view role, bool refuses = false) {
    return {role, "because", [this, role, refuses](ServicePtr next) -> ServicePtr {
              return std::make_shared<Tells>(std::move(next), seen, std::string(role), refuses);
            }};
  }
  Reply call(Service& service) {
    Sim sim;
    return sim.run([&]() -> Task<Reply> { return service.call(exchange.request); });
  }

  Exchange exchange;
  std::string seen;
};

TEST_F(StackTest, TheFirstLayerIsTheOutermost) {
  std::vector<Layer> layers;
  for (const char* role : {"a", "b", "c"}) layers.push_back(layer(role));
  const ServicePtr service = stack(layers, std::make_shared<Innermost>(seen));
  const Reply reply = call(*service);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 204);
  EXPECT_EQ(seen, "a> b> c> call <c <b <a ");
}

TEST_F(StackTest, WithoutLayersItIsTheServiceItself) {
  const ServicePtr inner = std::make_shared<Innermost>(seen);
  EXPECT_EQ(stack({}, inner), inner) << "what is switched off costs nothing";
  EXPECT_TRUE(describe({}).empty());
}

TEST_F(StackTest, AnErrorPassesAllThatIsAboveAndNothingBelowIsCalled) {
  std::vector<Layer> layers;
  layers.push_back(layer("a"));
  layers.push_back(layer("b", true));
  layers.push_back(layer("c"));
  const ServicePtr service = stack(layers, std::make_shared<Innermost>(seen));
  const Reply reply = call(*service);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error(), (Error{Code::overloaded, Side::self, false, 0, "refused"}));
  EXPECT_EQ(seen, "a> b> ");
}

// Layers are recipes: each stack has filters of its own, and the innermost may be shared.
TEST_F(StackTest, TheSameLayersMakeSeveralStacks) {
  std::vector<Layer> layers;
  layers.push_back(layer("a"));
  const ServicePtr inner = std::make_shared<Innermost>(seen);
  const ServicePtr one = stack(layers, inner), two = stack(layers, inner);
  EXPECT_NE(one, two);
  EXPECT_TRUE(call(*one).has_value());
  EXPECT_TRUE(call(*two).has_value());
  EXPECT_EQ(seen, "a> call <a a> call <a ");
}

TEST_F(StackTest, ADescriptionOutlivesItsLayers) {
  std::vector<LayerNote> notes;
  {
    std::vector<Layer> layers;
    layers.push_back(layer("limits"));
    layers.push_back(layer("router"));
    notes = describe(layers);
  }
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0].role, "limits");
  EXPECT_EQ(notes[1].role, "router");
  EXPECT_EQ(notes[1].why, "because");
}

}  // namespace
}  // namespace banyan
