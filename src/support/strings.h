// Small work on texts: splitting, trimming, numbers, nearest names, and sizes and durations for
// people.
// Not here: Unicode (the text layer) and JSON (nlohmann).
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace tenfold {

/// Pieces between separators; always one more than there are separators. Views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Without ASCII white space at both ends.
std::string_view trim(std::string_view text);

/// A capital of ASCII as a small letter, anything else as it is.
inline char lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The number that the whole text is; none where it is something else.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), text_end, number);
  if (error != std::errc() || end != text_end) return std::nullopt;
  return number;
}

std::string join(std::span<const std::string> parts, std::string_view separator);

/// The candidate a typing error away from `unknown`, upper and lower case being equal: at most one
/// third of its letters (at least one, at most three) inserted, deleted, replaced or swapped with a
/// neighbour. The first of equally near ones; empty where none is near.
std::string nearest_name(std::string_view unknown, std::span<const std::string> candidates);

/// "; did you mean 'x'?" or, where nothing is near, "".
std::string did_you_mean(std::string_view unknown, std::span<const std::string> candidates);

/// "512 B", "1.5 KiB", "3.2 GiB".
std::string human_bytes(uint64_t bytes);

/// "950", "12.3k", "4.56M".
std::string human_count(double count);

/// "0.25s", "12s", "3m05s", "2h07m", "4d03h".
std::string human_duration(double seconds);

}  // namespace tenfold
