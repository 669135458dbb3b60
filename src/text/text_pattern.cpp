// Reading the few patterns that are understood.
// Not here: what is done with matches (normalizers.cpp, splitters.cpp).
#include "text/text_pattern.h"

#include <optional>
#include <string_view>

#include "text/gpt2_pattern.h"
#include "text/unicode.h"

namespace tenfold::text {

namespace {

using CharTest = std::function<bool(uint32_t)>;

// As it stands in files.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

Pattern of_literal(std::string_view text) {
  return [key = code_points(text)](const MappedChars& chars, CharRange range,
                                   std::vector<CharRange>& out) {
    if (key.empty()) return;
    for (size_t i = range.first; i + key.size() <= range.last;) {
      size_t same = 0;
      while (same < key.size() && chars[i + same].value == key[same]) ++same;
      if (same == key.size()) {
        out.push_back({i, i + same});
        i += same;
      } else {
        ++i;
      }
    }
  };
}

Pattern of_runs(const CharTest& test, size_t least, size_t most) {
  return [=](const MappedChars& chars, CharRange range, std::vector<CharRange>& out) {
    for (size_t i = range.first; i < range.last;) {
      size_t end = i;
      while (end < range.last && end - i < most && test(chars[end].value)) ++end;
      if (end - i >= least) out.push_back({i, end});
      i = end > i ? end : i + 1;
    }
  };
}

struct Atom {
  CharTest test;
  size_t length;  // of the expression
};

std::optional<Atom> read_atom(std::string_view regex) {
  const auto is = [](LetterClass kind) {
    return [kind](uint32_t c) { return letter_class(c) == kind; };
  };
  if (regex.starts_with("\\s")) return Atom{is_blank, 2};
  if (regex.starts_with("\\p{L}")) return Atom{is(LetterClass::letter), 5};
  if (regex.starts_with("\\p{N}")) return Atom{is(LetterClass::number), 5};
  if (regex.empty()) return std::nullopt;
  const bool escaped = regex[0] == '\\';
  if (escaped && regex.size() < 2) return std::nullopt;
  const CodePoint c = decode_utf8(regex, escaped);
  if (c.value < 0x80) {
    constexpr std::string_view kMeaning = ".^$*+?()[]{}|\\/";
    const bool special = kMeaning.find(static_cast<char>(c.value)) != std::string_view::npos;
    const bool word = is_word_character(c.value);
    if (escaped ? word : special) return std::nullopt;
  } else if (escaped) {
    return std::nullopt;
  }
  return Atom{[value = c.value](uint32_t other) { return other == value; }, escaped + c.length};
}

std::optional<Pattern> read_regex(std::string_view regex) {
  if (regex == kGpt2Pattern) return gpt2_pattern();
  const auto atom = read_atom(regex);
  if (!atom) return std::nullopt;
  const std::string_view count = regex.substr(atom->length);
  if (count.empty()) return of_runs(atom->test, 1, 1);
  if (count == "+") return of_runs(atom->test, 1, SIZE_MAX);
  if (count.size() == 4 && count[0] == '{' && count[1] > '0' && count[1] <= '9' &&
      count.substr(2) == ",}") {
    return of_runs(atom->test, static_cast<size_t>(count[1] - '0'), SIZE_MAX);
  }
  return std::nullopt;
}

}  // namespace

Pattern gpt2_pattern() {
  return [](const MappedChars& chars, CharRange range, std::vector<CharRange>& out) {
    MappedBytes text;
    text.assign(chars, range);
    size_t at = range.first;
    split_gpt2(text.bytes, [&](size_t begin, size_t end) {
      const size_t first = at;
      for (size_t i = begin; i < end; ++i) at += (text.bytes[i] & 0xC0) != 0x80;
      out.push_back({first, at});
    });
  };
}

Pattern compile_pattern(const Block& block) {
  const Block pattern = block.block("pattern");
  pattern.allow_keys({"String", "Regex"});
  if (pattern.has("String")) return of_literal(pattern.text("String"));
  const std::string regex = pattern.text("Regex");
  auto compiled = read_regex(regex);
  if (!compiled) pattern.unsupported("is a regular expression that is not supported: {}", regex);
  return *compiled;
}

}  // namespace tenfold::text
