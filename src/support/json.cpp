// Builds the values from the parser's events. nlohmann's own builder with a callback, which could
// count too, takes quadratic time for a list of many objects.
// Not here: reading files.
#include "support/json.h"

#include <algorithm>

#include "support/fail.h"

namespace tenfold {
namespace {

using nlohmann::json;

// What a value costs at most: lists double, so that for a moment three places stand for each item.
constexpr uint64_t kItemBytes = 3 * sizeof(json), kKeyBytes = 96, kTextBytes = 48, kListBytes = 32,
                   kObjectBytes = 64, kMemberBytes = 64;
constexpr size_t kShortText = 15;  // kept inside std::string

/// Leaves the parser when a rule is broken.
struct Refused {
  std::string fault;
};

class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder(const JsonLimits& limits, const JsonMembers& members)
      : limits_(limits), members_(members) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool string(std::string& value) override {
    charge_text(value);
    charge(kTextBytes);
    return put(std::move(value));
  }

  bool start_object(size_t) override {
    charge(kObjectBytes);
    return open(json::value_t::object);
  }
  bool start_array(size_t) override {
    charge(kListBytes);
    return open(json::value_t::array);
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& key) override {
    charge_text(key);
    if (taking()) {
      charge(kMemberBytes);
      key_ = std::move(key);
      return true;
    }
    charge(kKeyBytes);
    auto& object = stack_.back()->get_ref<json::object_t&>();
    const auto [place, is_new] = object.emplace(key, nullptr);
    if (!is_new) refuse("has the key '{}' twice in one object", key);
    place_ = &place->second;
    const size_t level = stack_.size() - 1;
    on_path_ = matched_ == level && level < members_.path.size() && key == members_.path[level];
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    refuse("is not JSON (cut off or damaged) at byte {}", position);
  }

  json take() { return std::move(root_); }

 private:
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    throw Refused{fmt::format(format, std::forward<Args>(args)...)};
  }

  void charge(uint64_t bytes) {
    used_ += bytes;
    if (used_ > limits_.memory) {
      refuse("would take more than the {} MB allowed for its values", limits_.memory >> 20);
    }
  }
  void charge_text(const std::string& text) {
    if (text.size() > kShortText) charge(text.size() + 17);
  }

  // Whether the members of the innermost object go to the caller.
  bool taking() const {
    return matched_ > 0 && matched_ == members_.path.size() && stack_.size() == matched_ + 1;
  }

  template <typename Value>
  bool put(Value&& value) {
    place(std::forward<Value>(value));
    return true;
  }

  /// Stores a value where it belongs; null where the caller took it.
  template <typename Value>
  json* place(Value&& value) {
    if (stack_.empty()) {
      root_ = std::forward<Value>(value);
      return &root_;
    }
    if (taking()) {
      members_.take(key_, json(std::forward<Value>(value)));
      return nullptr;
    }
    json& parent = *stack_.back();
    if (parent.is_array()) {
      charge(kItemBytes);
      auto& list = parent.get_ref<json::array_t&>();
      list.emplace_back(std::forward<Value>(value));
      return &list.back();
    }
    *place_ = std::forward<Value>(value);
    return place_;
  }

  bool open(json::value_t type) {
    if (stack_.size() >= limits_.depth) refuse("is nested deeper than {}", limits_.depth);
    const bool follows = type == json::value_t::object && !stack_.empty() && on_path_ &&
                         stack_.back()->is_object() && matched_ + 1 == stack_.size();
    json* made = place(type);
    // What the caller takes arrives empty; its inside is parsed into a value nobody keeps.
    if (made == nullptr) made = &(dropped_ = json(type));
    stack_.push_back(made);
    if (follows) ++matched_;
    on_path_ = false;
    return true;
  }

  bool close() {
    stack_.pop_back();
    matched_ = std::min(matched_, stack_.empty() ? 0 : stack_.size() - 1);
    return true;
  }

  const JsonLimits& limits_;
  const JsonMembers& members_;
  json root_, dropped_;
  std::vector<json*> stack_;
  json* place_ = nullptr;  // of the last key
  std::string key_;        // the last one of the members taken
  size_t matched_ = 0;     // open objects below the root that are the path's beginning
  bool on_path_ = false;   // whether the last key is the path's next
  uint64_t used_ = 0;
};

}  // namespace

uint64_t longest_json_token(std::string_view text) {
  uint64_t longest = 0, length = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside && c == '\\') {
      ++i;
      length += 2;
    } else if (c == '"') {
      inside = !inside;
      longest = std::max(longest, length);
      length = 0;
    } else if (!inside && (c == ',' || c == ':' || c == '[' || c == ']' || c == '{' || c == '}')) {
      longest = std::max(longest, length);
      length = 0;
    } else {
      ++length;
    }
  }
  return std::max(longest, length);
}

JsonResult try_parse_json(std::string_view text, const JsonLimits& limits,
                          const JsonMembers& members) {
  if (longest_json_token(text) > limits.longest_token) {
    return {{}, fmt::format("holds a text or number of more than {} bytes", limits.longest_token)};
  }
  Builder builder(limits, members);
  try {
    json::sax_parse(text.begin(), text.end(), &builder);
    return {builder.take(), ""};
  } catch (Refused& refused) {
    return {{}, std::move(refused.fault)};
  }
}

json parse_json(std::string_view text, const std::string& name, ErrorKind kind,
                std::string_view where, const JsonLimits& limits, const JsonMembers& members) {
  JsonResult result = try_parse_json(text, limits, members);
  require(result.fault.empty(), kind, where, "{} {}", name, result.fault);
  return std::move(result.value);
}

}  // namespace tenfold
