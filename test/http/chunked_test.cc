#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace banyan {
namespace {

using namespace std::string_literals;

struct Decoded {
  std::string data;
  std::string trailers;
  size_t consumed = 0;
  bool done = false;
  std::optional<Error> error;
};

std::string shown(const Headers* trailers) {
  std::string out;
  if (trailers == nullptr) return out;
  for (const Field& f : *trailers) out += std::string(f.name) + "=" + std::string(f.value) + " ";
  return out;
}

// Feeds pieces that end at the given places; each is a block of its own, so that a read beyond it
// is seen.
Decoded decode(const std::string& text, const std::vector<size_t>& cuts, Side side = Side::client) {
  Arena arena;
  ChunkDecoder decoder(arena, side);
  Decoded out;
  size_t from = 0;
  for (size_t c = 0; c <= cuts.size() && !out.done; ++c) {
    const size_t to = c < cuts.size() ? cuts[c] : text.size();
    const std::vector<char> exact(text.begin() + static_cast<long>(from),
                                  text.begin() + static_cast<long>(to));
    Bytes piece{exact.data(), exact.size()};
    while (!piece.empty() && !out.done) {
      const auto step = decoder.step(piece);
      if (!step) {
        out.error = step.error();
        return out;
      }
      out.data += step->data;
      out.consumed += step->consumed;
      out.done = step->done;
      piece.remove_prefix(step->consumed);
    }
    from = to;
  }
  out.trailers = shown(decoder.trailers());
  return out;
}

struct Good {
  std::string text;
  std::string data;
  std::string trailers = {};
};

const std::vector<Good>& good() {
  static const std::vector<Good> rows = {
      {"0\r\n\r\n", ""},
      {"000\r\n\r\n", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
      {"A\r\n0123456789\r\n00\r\n\r\n", "0123456789"},
      {"0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"},
      {"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
      {"3;a=b\r\nabc\r\n0;last\r\n\r\n", "abc"},
      {"3;a=\"x;y\" ; c\t\xe9\r\nabc\r\n0\r\n\r\n", "abc"},
      {"1\r\na\r\n0\r\nX: y\r\n\r\n", "a", "X=y "},
      {"0\r\nX: y\r\nZ:  two words \r\n\r\n", "", "X=y Z=two words "},
      {"0\r\nContent-Length: 5\r\nX: y\r\nTransfer-Encoding: chunked\r\nHost: b\r\n"
       "Authorization: c\r\nX-Forwarded-For: d\r\n\r\n",
       "", "X=y "},
      {"0\r\nContent-Length: 5\r\n\r\n", "", ""},
  };
  return rows;
}

TEST(Chunked, WellFormedContents) {
  for (const Good& row : good()) {
    const auto d = decode(row.text + "GET /next", {});
    ASSERT_FALSE(d.error.has_value()) << row.text << d.error->what;
    EXPECT_TRUE(d.done) << row.text;
    EXPECT_EQ(d.data, row.data);
    EXPECT_EQ(d.trailers, row.trailers);
    EXPECT_EQ(d.consumed, row.text.size()) << "what follows is the next message's";
  }
}

TEST(Chunked, AnySplitOfTheBytesGivesTheSame) {
  for (const Good& row : good()) {
    std::vector<size_t> every;
    for (size_t a = 1; a < row.text.size(); ++a) {
      every.push_back(a);
      const auto halves = decode(row.text, {a});
      ASSERT_TRUE(halves.done) << row.text << " cut at " << a;
      EXPECT_EQ(halves.data, row.data);
      EXPECT_EQ(halves.trailers, row.trailers);
    }
    const auto bytes = decode(row.text, every);
    EXPECT_TRUE(bytes.done);
    EXPECT_EQ(bytes.data, row.data);
    EXPECT_EQ(bytes.trailers, row.trailers);
  }
}

const std::vector<std::string>& bad() {
  static const std::vector<std::string> rows = {
      "\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "0x1\r\n", "1 \r\n", "1\t\r\n", "1 ;a\r\n",
      "1\n", "1\r\r\n", "1\rX", ";a\r\n", "1,\r\n", "1.0\r\n", "\n",
      // More than 63 bits, or more digits than any size needs.
      "8000000000000000\r\n", "fffffffffffffffff\r\n", "10000000000000000\r\n",
      "00000000000000001\r\n",
      // The chunk does not end where its size says.
      "1\r\nab\r\n", "1\r\na\n", "1\r\na\rX", "2\r\na\r\n0\r\n\r\n", "1\r\na0\r\n\r\n",
      // Extensions.
      "1;a\nb\r\n", "1;a\0\r\n"s, "1;\x7f\r\n", "1;a\rb\r\n",
      // Trailers: the rules of fields.
      "0\r\n\n", "0\r\n\r\r\n", "0\r\nX: y\n\r\n", "0\r\nX\r\n\r\n", "0\r\nX : y\r\n\r\n",
      "0\r\n X: y\r\n\r\n", "0\r\nX: y\r\n z\r\n\r\n", "0\r\nX: \0\r\n\r\n"s,
      "0\r\nX: a\rb\r\n\r\n", "0\r\n: y\r\n\r\n", "0\r\n\rX\r\n\r\n"};
  return rows;
}

TEST(Chunked, EveryDeviationIsAnError) {
  for (const std::string& text : bad()) {
    const auto d = decode(text + "more\r\n\r\n", {});
    ASSERT_TRUE(d.error.has_value()) << printable(text);
    EXPECT_EQ(d.error->code, Code::protocol);
    EXPECT_EQ(d.error->side, Side::client);
    EXPECT_EQ(d.error->status, 400) << printable(text);
    std::vector<size_t> every;
    for (size_t a = 1; a < text.size(); ++a) every.push_back(a);
    EXPECT_TRUE(decode(text + "more\r\n\r\n", every).error.has_value()) << printable(text);
    const auto answer = decode(text + "more\r\n\r\n", {}, Side::upstream);
    ASSERT_TRUE(answer.error.has_value());
    EXPECT_EQ(answer.error->side, Side::upstream);
    EXPECT_EQ(answer.error->status, 0);
  }
}

TEST(Chunked, TheGreatestSizeIsTaken) {
  Arena arena;
  ChunkDecoder decoder(arena, Side::client);
  const auto step = decoder.step("7fffffffffffffff\r\nabc");
  ASSERT_TRUE(step.has_value());
  Bytes rest = Bytes("7fffffffffffffff\r\nabc").substr(step->consumed);
  EXPECT_EQ(rest.empty() ? step->data : decoder.step(rest)->data, "abc");
}

TEST(Chunked, ExtensionsAreBoundedOverTheWholeContent) {
  const std::string half(2000, 'x');
  const std::string chunk = "1;" + half + "\r\na\r\n";
  EXPECT_FALSE(decode(chunk + chunk + "0\r\n\r\n", {}).error.has_value());
  EXPECT_TRUE(decode(chunk + chunk + chunk + "0\r\n\r\n", {}).error.has_value());
  EXPECT_TRUE(decode("1;" + std::string(5000, 'x') + "\r\na\r\n", {}).error.has_value());
}

TEST(Chunked, TrailersAreBounded) {
  EXPECT_TRUE(decode("0\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", {}).error.has_value());
  std::string many = "0\r\n";
  for (int i = 0; i < 65; ++i) many += "a:b\r\n";
  EXPECT_TRUE(decode(many + "\r\n", {}).error.has_value());
  // Without an end it must not grow for ever either.
  EXPECT_TRUE(decode("0\r\n" + std::string(9000, 'x'), {}).error.has_value());
}

TEST(Chunked, EveryPrefixIsIncomplete) {
  const std::string whole = "3;a=b\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n";
  for (size_t n = 0; n < whole.size(); ++n) {
    const auto d = decode(whole.substr(0, n), {});
    EXPECT_FALSE(d.done) << n;
    EXPECT_FALSE(d.error.has_value()) << n;
  }
}

TEST(Chunked, HeadsThatAreWrittenAreRead) {
  for (uint64_t size : {uint64_t{1}, uint64_t{15}, uint64_t{16}, uint64_t{255}, uint64_t{4096},
                        uint64_t{INT64_MAX}}) {
    char buffer[20];
    const std::string head(write_chunk_head(buffer, size));
    EXPECT_EQ(std::stoull(head, nullptr, 16), size);
    EXPECT_TRUE(head.ends_with("\r\n"));
    EXPECT_FALSE(decode(head, {}).error.has_value()) << head;
  }
}

}  // namespace
}  // namespace banyan
