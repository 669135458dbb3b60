// One function a normalizer. Offsets follow the stock package: a character that is put in takes the
// place of the one before it, one that replaces takes the place of the first it replaces.
// Not here: the pipeline that runs them (pipeline.cpp).
#include "text/normalizers.h"

#include <algorithm>
#include <memory>

#include "support/fail.h"
#include "text/charsmap.h"
#include "text/text_pattern.h"
#include "text/unicode.h"

namespace tenfold::text {

namespace {

// Replacements of hostile files could make any text huge; real ones give 18 characters for 3 bytes.
void check_growth(const MappedChars& from, size_t size) {
  if (from.empty() || size <= 4096) return;
  const size_t bytes = from.back().end - from.front().begin;
  require(size <= 4096 + 64 * bytes, ErrorKind::data, "tokenizer",
          "its normalizer makes more than 64 characters a byte of a text of {} bytes", bytes);
}

// Calls map(char, put) for each character; put(value) writes one in its place.
template <typename Map>
void map_chars(MappedChars& chars, Map&& map) {
  MappedChars out;
  out.reserve(chars.size());
  for (const MappedChar& c : chars)
    map(c.value, [&](uint32_t value) { out.push_back({value, c.begin, c.end}); });
  chars = std::move(out);
}

void lower_chars(MappedChars& chars) {
  map_chars(chars, [](uint32_t c, auto put) {
    const CodePoints lower = lower_case(c);
    for (uint32_t i = 0; i < lower.count; ++i) put(lower.value[i]);
  });
}

void remove_if(MappedChars& chars, bool (*test)(uint32_t)) {
  std::erase_if(chars, [&](const MappedChar& c) { return test(c.value); });
}

// Marks between starters in the order of their classes.
void order_marks(MappedChars& chars) {
  for (size_t i = 0; i < chars.size();) {
    if (combining_class(chars[i].value) == 0) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < chars.size() && combining_class(chars[end].value) != 0) ++end;
    std::vector<uint32_t> marks;  // places stay, so that positions keep their order
    for (size_t k = i; k < end; ++k) marks.push_back(chars[k].value);
    std::stable_sort(marks.begin(), marks.end(), [](uint32_t a, uint32_t b) {
      return combining_class(a) < combining_class(b);
    });
    for (size_t k = i; k < end; ++k) chars[k].value = marks[k - i];
    i = end;
  }
}

void decompose_chars(MappedChars& chars, bool compatible) {
  map_chars(chars, [&](uint32_t c, auto put) {
    if (c < 0x80) return put(c);
    if (compatible) {
      for (const uint32_t part : decompose_compatible(c)) put(part);
      return;
    }
    const CodePoints parts = decompose(c);
    for (uint32_t i = 0; i < parts.count; ++i) put(parts.value[i]);
  });
  order_marks(chars);
}

// The canonical composition algorithm (UAX #15) over a decomposed text.
void compose_chars(MappedChars& chars) {
  size_t kept = 0;
  size_t starter = SIZE_MAX;
  uint8_t last_class = 0;
  for (const MappedChar c : MappedChars(chars)) {
    const uint8_t order = combining_class(c.value);
    const bool blocked =
        starter == SIZE_MAX || (kept > starter + 1 && (last_class == 0 || last_class >= order));
    if (!blocked && c.value >= 0x80) {
      if (const uint32_t joined = compose(chars[starter].value, c.value)) {
        chars[starter].value = joined;
        continue;
      }
    }
    if (order == 0) starter = kept;
    last_class = order;
    chars[kept++] = c;
  }
  chars.resize(kept);
}

Normalizer bert_normalizer(const Block& block) {
  block.allow_keys({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  const bool clean = block.flag("clean_text", true),
             chinese = block.flag("handle_chinese_chars", true),
             lower = block.flag("lowercase", true), strip = block.flag("strip_accents", lower);
  return [=](MappedChars& chars) {
    map_chars(chars, [&](uint32_t c, auto put) {
      if (clean && (c == 0 || c == kReplacement || is_control(c))) return;
      const bool alone = chinese && is_ideograph(c);
      if (alone) put(' ');
      put(clean && is_blank(c) ? ' ' : c);
      if (alone) put(' ');
    });
    if (strip) {
      decompose_chars(chars, false);
      remove_if(chars, is_nonspacing_mark);
    }
    if (lower) lower_chars(chars);
  };
}

Normalizer strip_normalizer(const Block& block) {
  block.allow_keys({"type", "strip_left", "strip_right"});
  const bool left = block.flag("strip_left", true), right = block.flag("strip_right", true);
  return [=](MappedChars& chars) {
    const auto kept = [](const MappedChar& c) { return !is_blank(c.value); };
    if (right) {
      chars.erase(std::find_if(chars.rbegin(), chars.rend(), kept).base(), chars.end());
    }
    if (left) chars.erase(chars.begin(), std::find_if(chars.begin(), chars.end(), kept));
  };
}

Normalizer replace_normalizer(const Block& block) {
  block.allow_keys({"type", "pattern", "content"});
  return [pattern = compile_pattern(block),
          content = code_points(block.text("content"))](MappedChars& chars) {
    std::vector<CharRange> found;
    pattern(chars, {0, chars.size()}, found);
    if (found.empty()) return;
    MappedChars out;
    size_t at = 0;
    for (const CharRange& match : found) {
      out.insert(out.end(), chars.begin() + static_cast<std::ptrdiff_t>(at),
                 chars.begin() + static_cast<std::ptrdiff_t>(match.first));
      for (const uint32_t value : content)
        out.push_back({value, chars[match.first].begin, chars[match.last - 1].end});
      check_growth(chars, out.size());
      at = match.last;
    }
    out.insert(out.end(), chars.begin() + static_cast<std::ptrdiff_t>(at), chars.end());
    chars = std::move(out);
  };
}

Normalizer prepend_normalizer(const Block& block) {
  block.allow_keys({"type", "prepend"});
  return [content = code_points(block.text("prepend"))](MappedChars& chars) {
    if (chars.empty()) return;
    MappedChars out;
    for (const uint32_t value : content) out.push_back({value, chars[0].begin, chars[0].end});
    chars.insert(chars.begin(), out.begin(), out.end());
  };
}

// The stock package maps whole user-perceived characters of less than 6 bytes, else code point by
// code point, and takes the shortest entry; SentencePiece itself does otherwise.
void map_graphemes(const CharsMap& map, MappedChars& chars) {
  MappedChars out;
  out.reserve(chars.size());
  std::string bytes;
  const auto put = [&](std::string_view replacement, size_t first, size_t last) {
    const size_t before = out.size();
    check_growth(chars, out.size() + replacement.size() / 4);
    for (const uint32_t value : code_points(replacement)) {
      const MappedChar& from = chars[std::min(first + (out.size() - before), last - 1)];
      out.push_back({value, from.begin, from.end});
    }
  };
  int32_t state = 0;
  for (size_t first = 0; first < chars.size();) {
    size_t last = first + 1;
    while (last < chars.size() &&
           !breaks_grapheme(chars[last - 1].value, chars[last].value, state)) {
      ++last;
    }
    bytes.clear();
    for (size_t i = first; i < last; ++i) append_utf8(chars[i].value, bytes);
    const CharsMap::Match whole = bytes.size() < 6 ? map.shortest(bytes) : CharsMap::Match{};
    if (whole.length > 0) {
      put(whole.replacement, first, last);
    } else {
      for (size_t i = first; i < last; ++i) {
        bytes.clear();
        append_utf8(chars[i].value, bytes);
        const CharsMap::Match match = map.shortest(bytes);
        if (match.length > 0) {
          put(match.replacement, i, i + 1);
        } else {
          out.push_back(chars[i]);
        }
      }
    }
    first = last;
  }
  chars = std::move(out);
}

// Bytes of standard base64, padded or not.
std::string decode_base64(const Block& block, std::string_view key) {
  const std::string text = block.text(key);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  size_t end = text.size();
  while (end > 0 && text.size() - end < 2 && text[end - 1] == '=') --end;
  for (size_t i = 0; i < end; ++i) {
    const char c = text[i];
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) block.damaged("'{}' is not base64 at character {}", key, i);
    bits = bits << 6 | static_cast<uint32_t>(value);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return out;
}

Normalizer precompiled_normalizer(const Block& block) {
  block.allow_keys({"type", "precompiled_charsmap"});
  if (!block.has("precompiled_charsmap")) return [](MappedChars&) {};
  const auto map = CharsMap::parse(decode_base64(block, "precompiled_charsmap"));
  if (!map) block.damaged("'precompiled_charsmap' is not a character map");
  return [map = std::make_shared<const CharsMap>(*map)](MappedChars& chars) {
    map_graphemes(*map, chars);
  };
}

Normalizer sequence_normalizer(const Block& block) {
  block.allow_keys({"type", "normalizers"});
  std::vector<Normalizer> steps;
  const nlohmann::json& list = block.array("normalizers");
  for (size_t i = 0; i < list.size(); ++i)
    steps.push_back(compile_normalizer(block.item(list[i], i)));
  return [steps = std::move(steps)](MappedChars& chars) {
    for (const Normalizer& step : steps) step(chars);
  };
}

}  // namespace

Normalizer compile_normalizer(const Block& block) {
  const std::string type = block.type();
  if (type == "BertNormalizer") return bert_normalizer(block);
  if (type == "Strip") return strip_normalizer(block);
  if (type == "Replace") return replace_normalizer(block);
  if (type == "Prepend") return prepend_normalizer(block);
  if (type == "Precompiled") return precompiled_normalizer(block);
  if (type == "Sequence") return sequence_normalizer(block);
  const bool compatible = type == "NFKC" || type == "NFKD";
  Normalizer plain;
  if (type == "Lowercase") plain = lower_chars;
  if (type == "StripAccents") plain = [](MappedChars& chars) { remove_if(chars, is_accent); };
  if (type == "NFD" || type == "NFKD")
    plain = [=](MappedChars& chars) { decompose_chars(chars, compatible); };
  if (type == "NFC" || type == "NFKC") {
    plain = [=](MappedChars& chars) {
      decompose_chars(chars, compatible);
      compose_chars(chars);
    };
  }
  if (!plain) block.unsupported("is of the unknown type '{}'", type);
  block.allow_keys({"type"});
  return plain;
}

}  // namespace tenfold::text
