// Categories from utf8proc; lower case code point by code point, but for the sigma.
// Not here: which score uses which of them.
#include "eval/score_text.h"

#include <utf8proc.h>

#include "text/mapped_chars.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace tenfold::eval {
namespace {

constexpr uint32_t kCapitalSigma = 0x3A3;
constexpr uint32_t kFinalSigma = 0x3C2;

utf8proc_category_t category_of_point(uint32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

/// What the rule of the final sigma looks through (Unicode, section 3.13: case-ignorable).
bool passes_case_by(uint32_t c) {
  switch (c) {
    case '\'':
    case '.':
    case ':':
    case 0xB7:
    case 0x387:
    case 0x55F:
    case 0x5F4:
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0x2027:
    case 0xFE13:
    case 0xFE52:
    case 0xFE55:
    case 0xFF07:
    case 0xFF0E:
    case 0xFF1A: return true;
    default: break;
  }
  switch (category_of_point(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default: return false;
  }
}

bool has_case(uint32_t c) {
  switch (category_of_point(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT: return true;
    default:
      return c == 0xAA || c == 0xBA || (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9);
  }
}

/// A letter with case comes before the sigma, and none after it.
bool ends_a_word(const std::vector<uint32_t>& points, size_t sigma) {
  size_t before = sigma;
  while (before > 0 && passes_case_by(points[before - 1])) --before;
  if (before == 0 || !has_case(points[before - 1])) return false;
  size_t after = sigma + 1;
  while (after < points.size() && passes_case_by(points[after])) ++after;
  return after == points.size() || !has_case(points[after]);
}

bool is_ascii(std::string_view text) {
  for (char c : text) {
    if (static_cast<uint8_t>(c) >= 0x80) return false;
  }
  return true;
}

}  // namespace

std::string lower_cased(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (is_ascii(text)) {
    for (char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    return out;
  }
  const std::vector<uint32_t> points = text::code_points(text);
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i] == kCapitalSigma && ends_a_word(points, i)) {
      text::append_utf8(kFinalSigma, out);
      continue;
    }
    const text::CodePoints lower = text::lower_case(points[i]);
    for (uint32_t k = 0; k < lower.count; ++k) text::append_utf8(lower.value[k], out);
  }
  return out;
}

bool separates_words(uint32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
  return text::is_blank(c);
}

std::vector<std::string_view> words_between_blanks(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const text::CodePoint c = text::decode_utf8(text, i);
    if (separates_words(c.value)) {
      if (i > begin) words.push_back(text.substr(begin, i - begin));
      begin = i + c.length;
    }
    i += c.length;
  }
  if (begin < text.size()) words.push_back(text.substr(begin));
  return words;
}

bool is_letter_or_number(uint32_t c) {
  if (c < 0x80) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  const utf8proc_category_t category = category_of_point(c);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) || is_any_number(c);
}

bool is_any_number(uint32_t c) {
  const utf8proc_category_t category = category_of_point(c);
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_any_punctuation(uint32_t c) {
  const utf8proc_category_t category = category_of_point(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_any_symbol(uint32_t c) {
  const utf8proc_category_t category = category_of_point(c);
  return category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO;
}

bool is_ascii_punctuation(uint32_t c) {
  return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
         (c >= 0x7B && c <= 0x7E);
}

uint32_t WordNumbers::of(std::string_view word) {
  const auto found = numbers_.find(word);
  if (found != numbers_.end()) return found->second;
  return numbers_.emplace(std::string(word), count() + 1).first->second;
}

std::vector<uint32_t> WordNumbers::of(const std::vector<std::string_view>& words) {
  std::vector<uint32_t> numbers;
  numbers.reserve(words.size());
  for (std::string_view word : words) numbers.push_back(of(word));
  return numbers;
}

}  // namespace tenfold::eval
