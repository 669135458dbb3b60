// The machine: a stack of objects, a memo, and the few functions that may be "called".
// Opcodes: CPython, Lib/pickletools.py (protocols 2 to 4). Not here: any object that is no part of
// a state_dict.
#include "tensor/pickled_tensors.h"

#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include "support/fail.h"
#include "support/files.h"

namespace tenfold {
namespace {

constexpr size_t kLongestPickleName = 512;
constexpr size_t kLargestPickledRank = 8;

enum class Kind : uint8_t { none, number, text, list, tuple, dict, function, storage, tensor };

using Id = uint32_t;

/// What may stand on the stack. A dict's `items` are key, value, key, value, ...
struct Object {
  Kind kind = Kind::none;
  int64_t number = 0;          // of a number; elements of a storage
  std::string_view text = {};  // of a text or function; key of a storage
  std::vector<Id> items = {};
};

/// Classes of torch storages; their elements.
constexpr std::array<std::pair<std::string_view, ElementType>, 10> kStorages = {
    {{"torch.DoubleStorage", ElementType::f64},
     {"torch.FloatStorage", ElementType::f32},
     {"torch.HalfStorage", ElementType::f16},
     {"torch.BFloat16Storage", ElementType::bf16},
     {"torch.LongStorage", ElementType::i64},
     {"torch.IntStorage", ElementType::i32},
     {"torch.ShortStorage", ElementType::i16},
     {"torch.CharStorage", ElementType::i8},
     {"torch.ByteStorage", ElementType::u8},
     {"torch.BoolStorage", ElementType::boolean}}};

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kParameter = "torch._utils._rebuild_parameter";

std::optional<ElementType> storage_elements(std::string_view name) {
  for (const auto& [storage, type] : kStorages) {
    if (storage == name) return type;
  }
  return {};
}

/// Runs the opcodes of one pickle.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, const std::string& file)
      : bytes_(as_text(bytes)), file_(file) {}

  std::vector<PickledTensor> run() {
    while (!done_) step();
    if (at_ != bytes_.size()) refuse("{} bytes after the end of the pickle", bytes_.size() - at_);
    return tensors_of(pop());
  }

 private:
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::checkpoint, "pickle", "{}: byte {}: {}", file_, opcode_at_,
         fmt::format(format, std::forward<Args>(args)...));
  }
  [[noreturn]] void refuse_global(std::string_view name) const {
    fail(ErrorKind::unsupported, "pickle",
         "{}: the file asks for '{}', which is no part of a state_dict: only tensors are read, "
         "nothing is executed; save model.state_dict() alone, or as safetensors",
         file_, name.substr(0, kLongestPickleName));
  }

  // Bytes.
  std::string_view take(uint64_t length) {
    if (length > bytes_.size() - at_) refuse("the pickle ends within an object");
    const std::string_view piece = bytes_.substr(at_, length);
    at_ += length;
    return piece;
  }
  template <typename T>
  T take_number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view take_line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("a line without an end");
    const std::string_view line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }
  /// LONG1: little-endian two's complement.
  int64_t take_long() {
    const std::string_view digits = take(take_number<uint8_t>());
    if (digits.size() > 8) refuse("a number of more than 64 bits");
    uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, digits.data(), digits.size());
    return static_cast<int64_t>(value);
  }

  // Objects.
  Id make(Object object) {
    if (objects_.size() == kMostPickledObjects) refuse("more than {} objects", kMostPickledObjects);
    objects_.push_back(std::move(object));
    return static_cast<Id>(objects_.size() - 1);
  }
  void push(Object object) { stack_.push_back(make(std::move(object))); }
  Id top() const {
    if (stack_.size() <= floor()) refuse("the stack is empty");
    return stack_.back();
  }
  Id pop() {
    const Id id = top();
    stack_.pop_back();
    return id;
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  /// Everything above the last mark.
  std::vector<Id> pop_to_mark() {
    if (marks_.empty()) refuse("no mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Id> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  void push_tuple(size_t length) {
    std::vector<Id> items(length);
    for (size_t i = length; i-- > 0;) items[i] = pop();
    push({.kind = Kind::tuple, .items = std::move(items)});
  }
  const Object& expect(Id id, Kind kind, std::string_view what) const {
    if (objects_[id].kind != kind) refuse("{} was expected", what);
    return objects_[id];
  }
  void extend(Kind kind, const std::vector<Id>& items) {
    Object& target = objects_[top()];
    if (target.kind != kind || (kind == Kind::dict && items.size() % 2 != 0))
      refuse("items for what is no {}", kind == Kind::dict ? "dict" : "list");
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  // Memo.
  void remember(uint64_t index) {
    if (index > memo_.size() || index >= kMostPickledObjects) refuse("memo {} out of turn", index);
    if (index == memo_.size()) memo_.push_back(0);
    memo_[index] = top();
  }
  void recall(uint64_t index) {
    if (index >= memo_.size()) refuse("memo {} was never set", index);
    stack_.push_back(memo_[index]);
    // Each recall is a reference that costs memory although no object is made.
    if (++recalled_ > 4 * kMostPickledObjects) refuse("too many references");
  }

  // The functions a state_dict needs.
  void push_function(std::string_view module, std::string_view name) {
    const std::string full = std::string(module.substr(0, kLongestPickleName)) + "." +
                             std::string(name.substr(0, kLongestPickleName));
    const auto known = [&](std::string_view one) { return one == full; };
    for (const std::string_view one : {kOrderedDict, kTensor, kParameter}) {
      if (known(one)) return push({.kind = Kind::function, .text = one});
    }
    for (const auto& [one, type] : kStorages) {
      if (known(one)) return push({.kind = Kind::function, .text = one});
    }
    refuse_global(full);
  }
  void push_stack_function() {
    const Id name = pop(), module = pop();
    push_function(expect(module, Kind::text, "a module").text,
                  expect(name, Kind::text, "a name").text);
  }
  /// ('storage', class, key, device, elements) -> the storage.
  void push_storage() {
    const Object& id = expect(pop(), Kind::tuple, "the id of a storage");
    if (id.items.size() != 5 || expect(id.items[0], Kind::text, "'storage'").text != "storage")
      refuse("a persistent id that is no storage");
    const Object& type = expect(id.items[1], Kind::function, "the class of a storage");
    if (!storage_elements(type.text)) refuse_global(type.text);
    push({.kind = Kind::storage,
          .number = expect(id.items[4], Kind::number, "the size of a storage").number,
          .text = expect(id.items[2], Kind::text, "the key of a storage").text,
          .items = {id.items[1]}});
  }
  void call() {
    const Id arguments = pop();
    const std::string_view function = expect(pop(), Kind::function, "a function").text;
    const std::vector<Id>& given = expect(arguments, Kind::tuple, "arguments").items;
    if (function == kOrderedDict) {
      if (!given.empty()) refuse("an OrderedDict with arguments");
      push({.kind = Kind::dict});
    } else if (function == kTensor) {
      if (given.size() < 4) refuse("a tensor of {} arguments", given.size());
      expect(given[0], Kind::storage, "a storage");
      expect(given[1], Kind::number, "an offset");
      expect(given[2], Kind::tuple, "a shape");
      expect(given[3], Kind::tuple, "strides");
      push({.kind = Kind::tensor, .items = {given.begin(), given.begin() + 4}});
    } else if (function == kParameter) {
      if (given.empty()) refuse("a parameter without a tensor");
      expect(given[0], Kind::tensor, "a tensor");
      stack_.push_back(given[0]);
    } else {
      refuse_global(function);
    }
  }

  void step();
  bool step_simple(uint8_t opcode);

  // The result.
  std::vector<int64_t> numbers_of(Id id, std::string_view name) const {
    const std::vector<Id>& items = objects_[id].items;
    if (items.size() > kLargestPickledRank)
      fail(ErrorKind::checkpoint, "pickle", "{}: '{}': more than {} dimensions", file_, name,
           kLargestPickledRank);
    std::vector<int64_t> numbers;
    for (const Id item : items) {
      if (objects_[item].kind != Kind::number)
        fail(ErrorKind::checkpoint, "pickle", "{}: '{}': a dimension is no number", file_, name);
      numbers.push_back(objects_[item].number);
    }
    return numbers;
  }
  [[noreturn]] void not_a_state_dict(std::string_view why) const {
    fail(ErrorKind::unsupported, "pickle",
         "{}: {}: only a state_dict is read, a dict of names to tensors", file_, why);
  }
  std::vector<PickledTensor> tensors_of(Id root) const {
    if (objects_[root].kind != Kind::dict) not_a_state_dict("the file holds no dict");
    std::vector<PickledTensor> tensors;
    std::set<std::string_view> names;
    const std::vector<Id>& items = objects_[root].items;
    for (size_t i = 0; i < items.size(); i += 2) {
      const Object &key = objects_[items[i]], &value = objects_[items[i + 1]];
      if (key.kind != Kind::text || key.text.size() > kLongestPickleName)
        not_a_state_dict("a name is no text or too long");
      if (value.kind != Kind::tensor)
        not_a_state_dict(fmt::format("the value of '{}' is no tensor", key.text));
      if (!names.insert(key.text).second)
        fail(ErrorKind::checkpoint, "pickle", "{}: '{}' appears twice", file_, key.text);
      if (names.size() > kMostPickledTensors)
        fail(ErrorKind::checkpoint, "pickle", "{}: more than {} tensors", file_,
             kMostPickledTensors);
      const Object& storage = objects_[value.items[0]];
      tensors.push_back({.name = std::string(key.text),
                         .type = *storage_elements(objects_[storage.items[0]].text),
                         .storage = storage.text,
                         .storage_size = storage.number,
                         .offset = objects_[value.items[1]].number,
                         .shape = numbers_of(value.items[2], key.text),
                         .strides = numbers_of(value.items[3], key.text)});
    }
    return tensors;
  }

  std::string_view bytes_;
  const std::string& file_;
  size_t at_ = 0, opcode_at_ = 0;
  bool done_ = false;
  size_t recalled_ = 0;
  std::vector<Object> objects_;
  std::vector<Id> stack_, memo_;
  std::vector<size_t> marks_;
};

/// Values and containers; false for an opcode that is none of these.
bool PickleMachine::step_simple(uint8_t opcode) {
  switch (opcode) {
    case 'N': push({}); return true;
    case 0x88: push({.kind = Kind::number, .number = 1}); return true;  // NEWTRUE
    case 0x89: push({.kind = Kind::number, .number = 0}); return true;  // NEWFALSE
    case 'J': push({.kind = Kind::number, .number = take_number<int32_t>()}); return true;
    case 'K': push({.kind = Kind::number, .number = take_number<uint8_t>()}); return true;
    case 'M': push({.kind = Kind::number, .number = take_number<uint16_t>()}); return true;
    case 0x8a: push({.kind = Kind::number, .number = take_long()}); return true;  // LONG1
    case 'X': push({.kind = Kind::text, .text = take(take_number<uint32_t>())}); return true;
    case 0x8c:  // SHORT_BINUNICODE
      push({.kind = Kind::text, .text = take(take_number<uint8_t>())});
      return true;
    case ']': push({.kind = Kind::list}); return true;
    case '}': push({.kind = Kind::dict}); return true;
    case ')': push_tuple(0); return true;
    case 0x85: push_tuple(1); return true;
    case 0x86: push_tuple(2); return true;
    case 0x87: push_tuple(3); return true;
    case 't': push({.kind = Kind::tuple, .items = pop_to_mark()}); return true;
    case 'a': extend(Kind::list, {pop()}); return true;
    case 'e': extend(Kind::list, pop_to_mark()); return true;
    case 'u': extend(Kind::dict, pop_to_mark()); return true;
    case 's': {
      const Id value = pop(), key = pop();
      extend(Kind::dict, {key, value});
      return true;
    }
    default: return false;
  }
}

void PickleMachine::step() {
  opcode_at_ = at_;
  const auto opcode = take_number<uint8_t>();
  if (step_simple(opcode)) return;
  switch (opcode) {
    case 0x80: {  // PROTO
      const auto protocol = take_number<uint8_t>();
      if (protocol < 2 || protocol > 5) refuse("protocol {}: 2 to 5 were expected", protocol);
      break;
    }
    case 0x95: take(8); break;  // FRAME: a hint for readers of streams
    case '(':
      if (marks_.size() == kMostPickledObjects) refuse("more than {} marks", kMostPickledObjects);
      marks_.push_back(stack_.size());
      break;
    case 'q': remember(take_number<uint8_t>()); break;
    case 'r': remember(take_number<uint32_t>()); break;
    case 0x94: remember(memo_.size()); break;  // MEMOIZE
    case 'h': recall(take_number<uint8_t>()); break;
    case 'j': recall(take_number<uint32_t>()); break;
    case 'c': {  // GLOBAL
      const std::string_view module = take_line(), name = take_line();
      push_function(module, name);
      break;
    }
    case 0x93: push_stack_function(); break;  // STACK_GLOBAL
    case 'Q': push_storage(); break;          // BINPERSID
    case 'R': call(); break;
    case 'b':  // BUILD: attributes of the state_dict (`_metadata`), which hold no weight
      pop();
      expect(top(), Kind::dict, "a dict");
      break;
    case '.': done_ = true; break;
    default:
      fail(ErrorKind::unsupported, "pickle",
           "{}: byte {}: opcode {:#04x} is none of a state_dict's: only tensors are read, nothing "
           "is executed",
           file_, opcode_at_, opcode);
  }
}

}  // namespace

std::vector<PickledTensor> parse_state_dict(std::span<const std::byte> pickle,
                                            const std::string& file) {
  require(pickle.size() <= kLargestPickle, ErrorKind::checkpoint, "pickle",
          "{}: a pickle of {} bytes is above the limit of {}", file, pickle.size(), kLargestPickle);
  return PickleMachine(pickle, file).run();
}

}  // namespace tenfold
