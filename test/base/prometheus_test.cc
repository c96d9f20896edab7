#include "base/prometheus.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/prometheus_text.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using Kind = Exposition::Kind;

std::string seconds(nanoseconds value) {
  std::string out;
  append_seconds(out, value);
  return out;
}

TEST(PrometheusTest, SecondsAreExactAndShort) {
  EXPECT_EQ(seconds(0ns), "0");
  EXPECT_EQ(seconds(1ns), "0.000000001");
  EXPECT_EQ(seconds(2'500us), "0.0025");
  EXPECT_EQ(seconds(1s), "1");
  EXPECT_EQ(seconds(10s), "10");
  EXPECT_EQ(seconds(1'250ms), "1.25");
  EXPECT_EQ(seconds(1'764'102'074'123'456'789ns), "1764102074.123456789");
  EXPECT_EQ(seconds(-1'500ms), "-1.5");
  EXPECT_EQ(seconds(nanoseconds::max()), "9223372036.854775807");
  EXPECT_EQ(seconds(nanoseconds::min()), "-9223372036.854775808");
}

TEST(PrometheusTest, WholeNumbersAreExact) {
  Exposition out;
  out.family(Kind::counter, "x_total", "X.");
  out.sample({}, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(out.take(),
            "# HELP x_total X.\n# TYPE x_total counter\nx_total 18446744073709551615\n");
}

TEST(PrometheusTest, AFamilyWithoutSamplesLeavesNoTrace) {
  Exposition out;
  out.family(Kind::counter, "empty_total", "Nothing.");
  out.family(Kind::gauge, "one", "One.");
  out.sample({{"a", "b"}, {"c", "d"}}, uint64_t{1});
  out.family(Kind::gauge, "empty", "Nothing.");
  EXPECT_EQ(out.take(), "# HELP one One.\n# TYPE one gauge\none{a=\"b\",c=\"d\"} 1\n");
}

TEST(PrometheusTest, LabelValuesAndHelpAreEscaped) {
  Exposition out;
  out.family(Kind::gauge, "x", "a\\b\nc \"d\"");
  out.sample({{"v", "q\" b\\ n\n u\xC3\xA9"}}, uint64_t{1});
  EXPECT_EQ(out.take(),
            "# HELP x a\\\\b\\nc \"d\"\n# TYPE x gauge\nx{v=\"q\\\" b\\\\ n\\n u\xC3\xA9\"} 1\n");
}

TEST(PrometheusTest, AHistogramIsCumulative) {
  Distribution d;
  Histogram h;
  for (const auto took : {1ms, 2ms, 5ms, 900ms, 20'000ms}) h.record(took);
  h.add_to(d);
  Exposition out;
  out.family(Kind::histogram, "t_seconds", "T.");
  const nanoseconds edges[] = {1ms, 2'500us, 1s};
  out.histogram({{"route", "r"}}, d, edges);
  EXPECT_EQ(out.take(),
            "# HELP t_seconds T.\n"
            "# TYPE t_seconds histogram\n"
            "t_seconds_bucket{route=\"r\",le=\"0.001\"} 1\n"
            "t_seconds_bucket{route=\"r\",le=\"0.0025\"} 2\n"
            "t_seconds_bucket{route=\"r\",le=\"1\"} 4\n"
            "t_seconds_bucket{route=\"r\",le=\"+Inf\"} 5\n"
            "t_seconds_sum{route=\"r\"} 20.908\n"
            "t_seconds_count{route=\"r\"} 5\n");
}

TEST(PrometheusTest, AHistogramWithoutLabels) {
  Distribution d;
  Exposition out;
  out.family(Kind::histogram, "t_seconds", "T.");
  const nanoseconds edges[] = {1s};
  out.histogram({}, d, edges);
  const std::string text = out.take();
  EXPECT_NE(text.find("t_seconds_bucket{le=\"1\"} 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nt_seconds_sum 0\n"), std::string::npos) << text;
  EXPECT_EQ(PrometheusText(text).fault(), "");
}

// The reader that other tests rely on finds what is wrong.
TEST(PrometheusTextTest, RefusesWhatTheFormatForbids) {
  const std::string head = "# HELP a_total A.\n# TYPE a_total counter\n";
  const std::string tall = "# HELP h H.\n# TYPE h histogram\n";
  EXPECT_EQ(PrometheusText(head + "a_total 1\n").fault(), "");
  for (const std::string& bad : {
           std::string("a_total 1\n"),
           head,
           head + "a_total 1",
           head + "b_total 1\n",
           head + "a_total x\n",
           head + "a_total 1e\n",
           head + "a_total 1\na_total 1\n",
           head + "a_total{b=\"c\"}1\n",
           head + "a_total{b=\"c\\t\"} 1\n",
           head + "a_total{b=\"c} 1\n",
           head + "a_total{b=\"c\",b=\"c\"} 1\n",
           head + "a_total{1=\"c\"} 1\n",
           head + "a_total 1\n" + head + "a_total{a=\"b\"} 1\n",
           std::string("# HELP a A.\n# TYPE a counter\na 1\n"),
           tall + "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
           tall + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
           tall + "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n"
                  "h_sum 1\nh_count 1\n",
           tall + "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
           tall + "h_bucket 1\nh_sum 1\nh_count 1\n",
       })
    EXPECT_NE(PrometheusText(bad).fault(), "") << bad;
}

}  // namespace
}  // namespace banyan
