// Construction of tenfold::Error and its exit codes.
#include "tenfold/error.h"

#include <cstdio>
#include <string_view>

namespace tenfold {
namespace {

constexpr size_t kLongestMessage = 1024;

// One short line, whatever names and values of untrusted files stand in it: control characters are
// written as \x1B (no terminal obeys them), and what is too long is cut between characters.
std::string one_line(const std::string& where, const std::string& message) {
  std::string line = "[";
  for (const std::string_view text : {std::string_view(where), std::string_view("] "),
                                      std::string_view(message).substr(0, kLongestMessage)}) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7F) {
        line += c;
        continue;
      }
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02X", byte);
      line += c == '\n' ? "\\n" : c == '\t' ? "\\t" : code;
    }
  }
  if (message.size() <= kLongestMessage && line.size() <= kLongestMessage) return line;
  if (line.size() > kLongestMessage) line.resize(kLongestMessage);
  while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();
  if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0) line.pop_back();
  return line + "...";
}

}  // namespace

Error::Error(ErrorKind kind, const std::string& where, const std::string& message)
    : std::runtime_error(one_line(where, message)), kind_(kind) {}

int Error::exit_code() const noexcept {
  switch (kind_) {
    case ErrorKind::run:
    case ErrorKind::internal: return 1;
    case ErrorKind::usage:
    case ErrorKind::config: return 2;
    case ErrorKind::data:
    case ErrorKind::shape: return 3;
    case ErrorKind::checkpoint: return 4;
    case ErrorKind::unsupported: return 5;
  }
  return 1;
}

}  // namespace tenfold
