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

/// Finds the longest text, number or run of blanks of JSON that comes in pieces.
class TokenLengths {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      if (escaped_) {
        escaped_ = false;
        ++length_;
      } else if (inside_ && c == '\\') {
        escaped_ = true;
        ++length_;
      } else if (c == '"') {
        inside_ = !inside_;
        end_token();
      } else if (!inside_ &&
                 (c == ',' || c == ':' || c == '[' || c == ']' || c == '{' || c == '}')) {
        end_token();
      } else {
        ++length_;
      }
    }
  }

  uint64_t longest() const { return std::max(longest_, length_); }

 private:
  void end_token() {
    longest_ = longest();
    length_ = 0;
  }

  uint64_t longest_ = 0, length_ = 0;
  bool inside_ = false, escaped_ = false;
};

/// Text in pieces as the parser wants it: characters, with the lines passed.
class PieceText {
 public:
  PieceText(const std::function<std::string_view()>& next, uint64_t longest_token)
      : next_(next), longest_token_(longest_token) {
    refill();
  }

  bool at_end() const { return at_ == piece_.size(); }
  char here() const { return piece_[at_]; }
  void step() {
    lines_ += piece_[at_] == '\n' ? 1 : 0;
    if (++at_ == piece_.size()) refill();
  }
  int64_t line() const { return lines_ + 1; }

 private:
  void refill() {
    piece_ = next_();
    at_ = 0;
    lengths_.add(piece_);
    if (lengths_.longest() > longest_token_) {
      throw Refused{fmt::format("holds a text or number of more than {} bytes", longest_token_)};
    }
  }

  const std::function<std::string_view()>& next_;
  uint64_t longest_token_;
  std::string_view piece_;
  size_t at_ = 0;
  int64_t lines_ = 0;
  TokenLengths lengths_;
};

/// The characters of a PieceText from where it stands; equal to another one where both are at the
/// end.
class PieceIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  explicit PieceIterator(PieceText* text) : text_(text) {}
  char operator*() const { return text_->here(); }
  PieceIterator& operator++() {
    text_->step();
    return *this;
  }
  void operator++(int) { text_->step(); }
  bool operator==(const PieceIterator& other) const { return at_end() == other.at_end(); }
  bool operator!=(const PieceIterator& other) const { return !(*this == other); }

 private:
  bool at_end() const { return text_ == nullptr || text_->at_end(); }

  PieceText* text_;
};

class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder(const JsonLimits& limits, const JsonMembers& members)
      : limits_(limits), members_(members) {}
  Builder(const JsonLimits& limits, const std::vector<JsonItems>& items, const PieceText& source)
      : limits_(limits), members_(kNoMembers), items_(&items), source_(&source) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool string(std::string& value) override {
    begin_item();
    charge_text(value);
    charge(kTextBytes);
    return put(std::move(value));
  }

  bool start_object(size_t) override {
    begin_item();
    charge(kObjectBytes);
    return open(json::value_t::object);
  }
  bool start_array(size_t) override {
    begin_item();
    charge(kListBytes);
    return open(json::value_t::array);
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& key) override {
    if (items_ != nullptr) open_.back() = {key, used_};
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
    give_item();
    return true;
  }

  /// What is held before the next place of a list.
  void begin_item() {
    if (items_ != nullptr && !stack_.empty() && stack_.back()->is_array())
      open_.back().used_before = used_;
  }

  /// Gives the value just ended to the caller who wants it.
  void give_item() {
    if (items_ == nullptr || open_.empty()) return;
    const auto wanted = [&](const JsonItems& items) {
      if (items.path.size() != open_.size()) return false;
      for (size_t i = 0; i < open_.size(); ++i) {
        if (items.path[i] != "*" && items.path[i] != open_[i].key) return false;
      }
      return true;
    };
    const auto found = std::find_if(items_->begin(), items_->end(), wanted);
    if (found == items_->end()) return;
    json& parent = *stack_.back();
    const std::string key = open_.back().key;
    json value;
    if (parent.is_array()) {
      auto& list = parent.get_ref<json::array_t&>();
      value = std::move(list.back());
      list.pop_back();
    } else {
      auto& object = parent.get_ref<json::object_t&>();
      const auto member = object.find(key);
      value = std::move(member->second);
      object.erase(member);
    }
    used_ = open_.back().used_before;
    found->take(key, std::move(value), source_->line());
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
    if (items_ != nullptr) open_.push_back({type == json::value_t::array ? "*" : "", used_});
    if (follows) ++matched_;
    on_path_ = false;
    return true;
  }

  bool close() {
    stack_.pop_back();
    matched_ = std::min(matched_, stack_.empty() ? 0 : stack_.size() - 1);
    if (items_ != nullptr) {
      open_.pop_back();
      give_item();
    }
    return true;
  }

  /// An open object or list: the key its next value stands under, and what was held before it.
  struct Open {
    std::string key;
    uint64_t used_before;
  };
  static inline const JsonMembers kNoMembers;

  const JsonLimits& limits_;
  const JsonMembers& members_;
  const std::vector<JsonItems>* items_ = nullptr;
  const PieceText* source_ = nullptr;
  std::vector<Open> open_;
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
  TokenLengths lengths;
  lengths.add(text);
  return lengths.longest();
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

void parse_json_items(const std::function<std::string_view()>& next_piece, const std::string& name,
                      ErrorKind kind, std::string_view where, const JsonLimits& limits,
                      const std::vector<JsonItems>& items) {
  try {
    PieceText text(next_piece, limits.longest_token);
    Builder builder(limits, items, text);
    json::sax_parse(PieceIterator(&text), PieceIterator(nullptr), &builder);
  } catch (const Refused& refused) {
    fail(kind, where, "{} {}", name, refused.fault);
  }
}

}  // namespace tenfold
