// Transcript: a conversation as text: who sends which bytes at which virtual time, and what each
// party sees of it. Owner: a plain value. Thread: any.
//   # What the file shows.
//   config:                      the configuration, indented; what is left out is standard
//     offload: { limits: { body: 10 } }
//
//   client > "GET / HTTP/1.1\r\n"       `>`: what a party does (written by people)
//            "Host: shop\r\n\r\n"
//   origin < "GET / HTTP/1.1\r\n" ...   `<`: what it sees (written by WIRE_UPDATE=1)
//   @ 30s client < end                  when the time is another than that of the line above
//   @ 60s                               nobody does anything until then
// Bytes are in quotes: \r \n \t \\ \" \xNN; pieces follow each other, "x" * 1000 repeats one.
// Comments and empty lines belong to what a party does next, or to what is seen during a wait.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "task/time.h"

namespace banyan::wire {

// What happens besides bytes. Done: connect end close reset pause resume drain; by an endpoint,
// connected or not: refuse (new connections), vanish (nothing arrives any more), return. Seen:
// connect end reset, and what the log says.
struct Line {
  std::optional<Duration> at;
  std::string party;  // empty: only time passes
  bool seen = false;  // `<`
  std::string bytes;
  std::string event;   // instead of bytes
  std::string source;  // as it stands in the file, comments before it included; of what is done
};

struct Transcript {
  std::string head;    // comments and config, as they stand in the file
  std::string config;  // without the indent
  std::vector<Line> lines;
  std::string tail;  // comments behind the last line
};

// What is wrong with the text, with its line number, or the transcript.
struct Parsed {
  Transcript transcript;
  std::string error;
};
Parsed parse(std::string_view text);

// `prefix` "\"GET / HTTP/1.1\\r\\n\"" ...: a piece a line, indented as the first one.
std::string quote(std::string_view prefix, std::string_view bytes);
std::string time_text(Duration at);

}  // namespace banyan::wire
