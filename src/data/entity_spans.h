// Entities out of the tags of a row: runs of words of one type.
// Not here: scores of taggers (eval) or where the words stand in a text.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::data {

struct TagParts {
  char prefix = 'I';      ///< B, I, E or S; O for none
  std::string_view type;  ///< a part of the tag
};

/// What a tag says: L- is E-, U- is S-, and a tag without such a prefix is the type of an I-.
TagParts tag_parts(std::string_view tag);

struct EntitySpan {
  std::string type;
  size_t begin = 0, end = 0;  ///< words begin .. end - 1
  bool operator==(const EntitySpan&) const = default;
};

/// Reads B-, I-, O and also E-, S- (and L-, U-) tags, leniently: an I- or E- that continues nothing
/// of its type begins an entity. A tag without such a prefix (part-of-speech tags) is the type of a
/// run of equal tags; "O" is none.
std::vector<EntitySpan> entity_spans(std::span<const std::string_view> tags);

}  // namespace tenfold::data
