// A scanner that knows strings and comments and nothing else. It agrees with the parser up to the
// parser's first error, which is as far as the parser goes.
// Not here: what is wrong with a string or a value.
#include "config/toml_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tenfold::config {
namespace {

constexpr size_t kMostDots = 32;
constexpr std::string_view kMarks = "=,[]{}\n";  // that stand between words

/// The place behind the string that begins at `at` with a quote.
size_t behind_string(std::string_view text, size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool many_lines = text.substr(at).starts_with(three);
  at += many_lines ? 3 : 1;
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      at += 2;
    } else if (!many_lines && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else if (many_lines && text.substr(at).starts_with(three)) {
      // Up to two quotes before the closing three belong to the text.
      const size_t run = std::min(text.find_first_not_of(quote, at), text.size()) - at;
      return at + std::min<size_t>(run, 5);
    } else {
      ++at;
    }
  }
  return text.size();
}

/// Whether a character beyond ASCII follows a backslash, blanks and ends of lines between them or
/// not.
bool escapes_beyond_ascii(std::string_view string) {
  for (size_t at = string.find('\\'); at < string.size(); at = string.find('\\', at)) {
    const size_t next = string.find_first_not_of(" \t\r\n", at + 1);
    if (next >= string.size()) return false;
    if (static_cast<unsigned char>(string[next]) >= 0x80) return true;
    at = next > at + 1 ? next : at + 2;
  }
  return false;
}

/// Whether a date with no time behind its T or blank, 2026-01-01Tx, begins at `at`.
bool is_date_without_time(std::string_view text, size_t at) {
  constexpr std::string_view kForm = "0000-00-00T";
  const std::string_view found = text.substr(at, kForm.size() + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto fits = [&](char c, char form) {
    return form == '0' ? is_digit(c) : form == '-' ? c == '-' : c == 'T' || c == 't' || c == ' ';
  };
  return found.size() > kForm.size() && !is_digit(found.back()) &&
         std::equal(kForm.begin(), kForm.end(), found.begin(),
                    [&](char form, char c) { return fits(c, form); });
}

/// Whether a name, or the bracket that closes none, stands behind the `[` or `[[` of a header.
bool is_header(std::string_view text, size_t at) {
  at += text.substr(at).starts_with("[[") ? 2 : 1;
  at = std::min(text.find_first_not_of(" \t", at), text.size());
  if (at == text.size()) return true;
  const unsigned char c = static_cast<unsigned char>(text[at]);
  return std::isalnum(c) || std::string_view("_-\"']").find(text[at]) != std::string_view::npos;
}

}  // namespace

TomlFault toml_fault(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  size_t dots = 0;
  std::string open;         // brackets, the innermost last
  bool line_begins = true;  // nothing but blanks so far
  bool at_key = true;       // a key or header stands here, whose parts dots divide
  char last = '\n';         // what came before, blanks left out, and ends of lines within brackets
  const auto fault = [&](size_t at, std::string rule) {
    const std::string_view before = text.substr(0, at);
    const size_t line_at = before.rfind('\n') + 1;  // 0 in the first line
    const std::string_view in_line = before.substr(line_at);
    return TomlFault{1 + std::count(before.begin(), before.end(), '\n'),
                     1 + std::count_if(in_line.begin(), in_line.end(),
                                       [](char c) { return (c & 0xC0) != 0x80; }),
                     std::move(rule)};
  };
  const auto is_one_of = [](char c, std::string_view set) { return set.find(c) != set.npos; };
  for (size_t at = text.starts_with(kMark) ? kMark.size() : 0; at < text.size();) {
    const char c = text[at];
    const bool value_may_begin = !at_key && is_one_of(last, "=,[");
    if (c == '"' || c == '\'') {
      // Elsewhere the parser reads on to the end of the word, string or not.
      if (!value_may_begin && !(at_key && is_one_of(last, "\n.,{[")))
        return fault(at, "a quote inside of a word");
      const size_t end = behind_string(text, at);
      if (c == '"' && escapes_beyond_ascii(text.substr(at, end - at)))
        return fault(at, "ASCII must follow a backslash");
      at = end;
      line_begins = false;
      last = c;
      continue;
    }
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (static_cast<unsigned char>(c) >= 0x80)
      return fault(at, "a character that is not ASCII needs quotes around it");
    if (c == '[' && open.empty() && line_begins && !is_header(text, at))
      return fault(at, "a table's name must follow '['");
    if (c == '[' || c == '{') {
      // The second bracket of "[[" is a header's, too.
      const bool header = c == '[' && at_key && (line_begins || last == '[');
      if (!header && !value_may_begin) return fault(at, "a bracket inside of a word");
      at_key = header || c == '{';
      open += c;
    }
    if (c == '=' && !at_key) return fault(at, "an '=' inside of a value");
    if (c == ',' && open.empty()) return fault(at, "a ',' outside of brackets");
    if (c == '=') at_key = false;
    if (c == ',') at_key = !open.empty() && open.back() == '{';
    if (c == '\n' && open.empty()) at_key = true;
    const bool blank = is_one_of(c, " \t\r") || (c == '\n' && !open.empty());
    const bool word_goes_on = at > 0 && !is_one_of(text[at - 1], " \t\r\n\"']}");
    if (!at_key && !value_may_begin && !word_goes_on && !blank && !is_one_of(c, kMarks))
      return fault(at, "a second value in the place of one");
    if (!blank) last = c;
    if ((c == ']' || c == '}') && !open.empty()) {
      if (open.back() != (c == ']' ? '[' : '{'))
        return fault(at, fmt::format("a '{}' that closes a '{}'", c, open.back()));
      open.pop_back();
    }
    line_begins = c == '\n' || (line_begins && (c == ' ' || c == '\t'));
    if (is_date_without_time(text, at)) return fault(at, "a date needs quotes around it");
    if (c == '.' && ++dots > kMostDots)
      return fault(at, fmt::format("a key of more than {} parts", kMostDots));
    if (is_one_of(c, kMarks)) dots = 0;
    ++at;
  }
  return {};
}

}  // namespace tenfold::config
