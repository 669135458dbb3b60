// What becomes of bad rows, and of lines that are not UTF-8.
// Not here: any format.
#include "data/rows.h"

#include "text/utf8.h"

namespace tenfold::data {
namespace {

std::string from_latin1(std::string_view line) {
  std::string text;
  for (const char c : line) text::append_utf8(static_cast<uint8_t>(c), text);
  return text;
}

}  // namespace

void ReadingRules::fields(config::FieldVisitor& v) {
  v.field("skip_bad", skip_bad, "count bad rows instead of refusing them");
  encoding_field(v, encoding);
}

void encoding_field(config::FieldVisitor& v, TextEncoding& encoding) {
  v.field("encoding", encoding, "latin-1: lines that are not UTF-8 are read as Latin-1",
          kTextEncodings);
}

void BadRows::tell(int64_t line, const std::string& why) {
  first_ = fmt::format("{}:{}: {}", file_, line, why);
  require(skip_, ErrorKind::data, "task", "{}", first_);
}

std::string excerpt(std::string_view text) {
  constexpr size_t kMost = 40;
  if (text.size() <= kMost) return std::string(text);
  size_t end = kMost;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string check_encoding(std::string& line, TextEncoding encoding) {
  for (size_t i = 0; i < line.size();) {
    const text::CodePoint c = text::decode_utf8(line, i);
    if (!c.valid) {
      if (encoding == TextEncoding::latin1) {
        line = from_latin1(line);
        return {};
      }
      return fmt::format("byte {} is not UTF-8 (0x{:02X}); encoding = \"latin-1\" reads such lines",
                         i + 1, static_cast<uint8_t>(line[i]));
    }
    i += c.length;
  }
  return {};
}

}  // namespace tenfold::data
