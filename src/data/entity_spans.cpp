// Reading runs of tags.
// Not here: checking that they are consistent.
#include "data/entity_spans.h"

namespace tenfold::data {

TagParts tag_parts(std::string_view tag) {
  if (tag == "O") return {'O', {}};
  if (tag.size() > 2 && tag[1] == '-') {
    switch (tag[0]) {
      case 'B':
      case 'I':
      case 'E':
      case 'S': return {tag[0], tag.substr(2)};
      case 'L': return {'E', tag.substr(2)};
      case 'U': return {'S', tag.substr(2)};
      default: break;
    }
  }
  return {'I', tag};
}

std::vector<EntitySpan> entity_spans(std::span<const std::string_view> tags) {
  std::vector<EntitySpan> spans;
  bool open = false;
  for (size_t i = 0; i < tags.size(); ++i) {
    const auto [prefix, type] = tag_parts(tags[i]);
    const bool goes_on = open && (prefix == 'I' || prefix == 'E') && spans.back().type == type;
    if (prefix == 'O') {
      open = false;
      continue;
    }
    if (!goes_on) spans.push_back({.type = std::string(type), .begin = i, .end = i});
    spans.back().end = i + 1;
    open = prefix == 'B' || prefix == 'I';
  }
  return spans;
}

}  // namespace tenfold::data
