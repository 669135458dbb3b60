// The two tokenisations of NIST's mteval scripts, as chains of rewriting passes from left to right.
// Not here: counting (bleu.cpp).

#include <fmt/ranges.h>

#include "eval/bleu.h"
#include "eval/score_text.h"
#include "support/fail.h"
#include "support/strings.h"
#include "text/mapped_chars.h"
#include "text/utf8.h"

namespace tenfold::eval {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

bool is_digit_byte(char c) { return c >= '0' && c <= '9'; }

bool is_stop_or_comma(char c) { return c == '.' || c == ','; }

/// ASCII that stands apart wherever it is: all but letters, digits and ' , - .
bool stands_apart(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte == ' ' ||
         (is_ascii_punctuation(byte) && c != '\'' && c != ',' && c != '-' && c != '.');
}

/// Rewrites pairs of neighbours: where `applies` to (a, b), a blank comes between them and `outer`
/// gets one too; the pair is done with then, and the next begins behind it.
enum class Blank : uint8_t { before, after };
template <typename Symbols, typename Applies>
Symbols spaced_pairs(const Symbols& text, Blank outer, const Applies& applies) {
  using Symbol = typename Symbols::value_type;
  Symbols out;
  out.reserve(text.size() + text.size() / 4);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !applies(text[i], text[i + 1])) {
      out.push_back(text[i]);
      continue;
    }
    if (outer == Blank::before) out.push_back(static_cast<Symbol>(' '));
    out.push_back(text[i]);
    out.push_back(static_cast<Symbol>(' '));
    out.push_back(text[++i]);
    if (outer == Blank::after) out.push_back(static_cast<Symbol>(' '));
  }
  return out;
}

template <typename Symbols, typename Applies>
Symbols spaced_symbols(const Symbols& text, const Applies& applies) {
  using Symbol = typename Symbols::value_type;
  Symbols out;
  out.reserve(text.size() + text.size() / 4);
  for (const Symbol symbol : text) {
    const bool apart = applies(symbol);
    if (apart) out.push_back(static_cast<Symbol>(' '));
    out.push_back(symbol);
    if (apart) out.push_back(static_cast<Symbol>(' '));
  }
  return out;
}

/// Bytes do: every rule is about ASCII, and a pair that ends in another character's last byte is
/// the pair that ends in that character.
std::string spaced_13a(std::string_view text) {
  std::string line(text);
  replace_all(line, "<skipped>", "");
  replace_all(line, "-\n", "");
  replace_all(line, "\n", " ");
  if (line.find('&') != std::string::npos) {
    replace_all(line, "&quot;", "\"");
    replace_all(line, "&amp;", "&");
    replace_all(line, "&lt;", "<");
    replace_all(line, "&gt;", ">");
  }
  line = spaced_symbols(" " + line + " ", stands_apart);
  line = spaced_pairs(line, Blank::after,
                      [](char a, char b) { return !is_digit_byte(a) && is_stop_or_comma(b); });
  line = spaced_pairs(line, Blank::before,
                      [](char a, char b) { return is_stop_or_comma(a) && !is_digit_byte(b); });
  return spaced_pairs(line, Blank::after,
                      [](char a, char b) { return is_digit_byte(a) && b == '-'; });
}

std::string spaced_international(std::string_view text) {
  std::vector<uint32_t> line = text::code_points(text);
  line = spaced_pairs(line, Blank::after, [](uint32_t a, uint32_t b) {
    return !is_any_number(a) && is_any_punctuation(b);
  });
  line = spaced_pairs(line, Blank::before, [](uint32_t a, uint32_t b) {
    return is_any_punctuation(a) && !is_any_number(b);
  });
  line = spaced_symbols(line, is_any_symbol);
  std::string out;
  for (const uint32_t c : line) text::append_utf8(c, out);
  return out;
}

}  // namespace

BleuTokens parse_bleu_tokens(const std::string& name) {
  if (name == "13a") return BleuTokens::mteval_13a;
  if (name == "intl") return BleuTokens::international;
  if (name == "none") return BleuTokens::none;
  const std::vector<std::string> names = {"13a", "intl", "none"};
  fail(ErrorKind::usage, "bleu", "unknown tokens '{}', expected 13a, intl or none{}", name,
       did_you_mean(name, names));
}

std::string bleu_tokenized(std::string_view text, BleuTokens tokens) {
  std::string spaced;
  switch (tokens) {
    case BleuTokens::mteval_13a: spaced = spaced_13a(text); break;
    case BleuTokens::international: spaced = spaced_international(text); break;
    case BleuTokens::none: spaced = text; break;
  }
  return fmt::format("{}", fmt::join(words_between_blanks(spaced), " "));
}

}  // namespace tenfold::eval
