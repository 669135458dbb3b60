// Reading TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequences of them.
// Not here: filling templates (tokenizer_pairs.cpp).
#include "text/post_processor.h"

#include <unordered_map>

namespace tenfold::text {

namespace {

using nlohmann::json;
using Kind = TemplateStep::Kind;

constexpr size_t kMostSteps = 64;

using SpecialIds = std::unordered_map<std::string, std::vector<int32_t>>;

int32_t checked_id(const Block& block, const json& value, size_t num_tokens) {
  const bool fits = value.is_number_unsigned()
                        ? value.get<uint64_t>() < num_tokens
                        : value.is_number_integer() && value.get<int64_t>() >= 0 &&
                              value.get<uint64_t>() < num_tokens;
  if (!fits) block.damaged("must name ids from 0 to {}, got {}", num_tokens - 1, value.dump());
  return value.get<int32_t>();
}

SpecialIds read_specials(const Block& block, size_t num_tokens) {
  SpecialIds out;
  if (!block.has("special_tokens")) return out;
  const Block specials = block.block("special_tokens");
  for (const auto& [name, value] : specials.value().items()) {
    const Block entry = specials.block(name);
    entry.allow_keys({"id", "ids", "tokens"});
    for (const json& id : entry.array("ids"))
      out[name].push_back(checked_id(entry, id, num_tokens));
  }
  return out;
}

void read_step(const Block& step, const SpecialIds& specials, std::vector<TemplateStep>& out) {
  step.allow_keys({"SpecialToken", "Sequence"});
  const bool special = step.has("SpecialToken");
  const Block inner = step.block(special ? "SpecialToken" : "Sequence");
  inner.allow_keys({"id", "type_id"});
  const auto segment = static_cast<uint8_t>(inner.count("type_id", 256));
  const std::string id = inner.text("id");
  if (!special) {
    if (id != "A" && id != "B") inner.damaged("'id' must be A or B, got '{}'", id);
    out.push_back({id == "A" ? Kind::first_text : Kind::second_text, -1, segment});
    return;
  }
  const auto found = specials.find(id);
  if (found == specials.end()) inner.damaged("'{}' is not among its 'special_tokens'", id);
  for (const int32_t token : found->second) out.push_back({Kind::special, token, segment});
}

std::vector<TemplateStep> read_steps(const Block& block, std::string_view key,
                                     const SpecialIds& specials, size_t num_texts) {
  std::vector<TemplateStep> out;
  const json& list = block.array(key);
  size_t firsts = 0, seconds = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    read_step(block.item(list[i], i), specials, out);
    if (out.size() > kMostSteps) block.damaged("'{}' has more than {} steps", key, kMostSteps);
  }
  for (const TemplateStep& step : out) {
    firsts += step.kind == Kind::first_text;
    seconds += step.kind == Kind::second_text;
    if (step.kind == Kind::second_text && firsts == 0)
      block.unsupported("'{}' has B before A", key);
  }
  if (firsts != 1 || seconds != num_texts - 1)
    block.unsupported("'{}' must hold {} once", key, num_texts == 1 ? "A" : "A and B");
  return out;
}

// [token, id] of BertProcessing and RobertaProcessing.
int32_t named_id(const Block& block, std::string_view key, size_t num_tokens) {
  const json& value = block.array(key);
  if (value.size() != 2 || !value[0].is_string())
    block.damaged("'{}' must be [token, id], got {}", key, value.dump());
  return checked_id(block, value[1], num_tokens);
}

void read_into(const Block& block, size_t num_tokens, PostProcessor& out) {
  const std::string type = block.type();
  if (type == "Sequence") {
    block.allow_keys({"type", "processors"});
    const json& list = block.array("processors");
    for (size_t i = 0; i < list.size(); ++i) read_into(block.item(list[i], i), num_tokens, out);
    return;
  }
  if (type == "ByteLevel") {
    block.allow_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    out.trims = block.flag("trim_offsets", true);
    block.flag("add_prefix_space", true);  // for its complaint alone
    return;
  }
  if (!out.single.empty()) block.unsupported("is a second template");
  if (type == "TemplateProcessing") {
    block.allow_keys({"type", "single", "pair", "special_tokens"});
    const SpecialIds specials = read_specials(block, num_tokens);
    out.single = read_steps(block, "single", specials, 1);
    out.pair = read_steps(block, "pair", specials, 2);
    return;
  }
  const bool roberta = type == "RobertaProcessing";
  if (!roberta && type != "BertProcessing") block.unsupported("is of the unknown type '{}'", type);
  if (roberta) {
    block.allow_keys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    out.trims = block.flag("trim_offsets", true);
    block.flag("add_prefix_space", true);  // for its complaint alone
  } else {
    block.allow_keys({"type", "sep", "cls"});
  }
  const int32_t cls = named_id(block, "cls", num_tokens), sep = named_id(block, "sep", num_tokens);
  const uint8_t second = roberta ? 0 : 1;
  out.single = {{Kind::special, cls, 0}, {Kind::first_text, -1, 0}, {Kind::special, sep, 0}};
  out.pair = out.single;
  if (roberta) out.pair.push_back({Kind::special, sep, 0});
  out.pair.push_back({Kind::second_text, -1, second});
  out.pair.push_back({Kind::special, sep, second});
}

json special_step(const std::string& name, int segment) {
  return {{"SpecialToken", {{"id", name}, {"type_id", segment}}}};
}
json text_step(const char* name, int segment) {
  return {{"Sequence", {{"id", name}, {"type_id", segment}}}};
}
json special_entry(const std::string& name, int32_t id) {
  return {{"id", name}, {"ids", {id}}, {"tokens", {name}}};
}

}  // namespace

int32_t PostProcessor::cls() const {
  return single.front().kind == Kind::special ? single.front().id : -1;
}
int32_t PostProcessor::sep() const {
  return single.back().kind == Kind::special ? single.back().id : -1;
}

PostProcessor compile_post_processor(const Block& block, size_t num_tokens) {
  PostProcessor out;
  read_into(block, num_tokens, out);
  if (out.single.empty()) {
    out.single = {{Kind::first_text, -1, 0}};
    out.pair = {{Kind::first_text, -1, 0}, {Kind::second_text, -1, 1}};
  }
  return out;
}

json bert_template(const std::string& cls, int32_t cls_id, const std::string& sep, int32_t sep_id) {
  json specials = json::object();
  specials[cls] = special_entry(cls, cls_id);
  specials[sep] = special_entry(sep, sep_id);
  return {{"type", "TemplateProcessing"},
          {"single", {special_step(cls, 0), text_step("A", 0), special_step(sep, 0)}},
          {"pair",
           {special_step(cls, 0), text_step("A", 0), special_step(sep, 0), text_step("B", 1),
            special_step(sep, 1)}},
          {"special_tokens", specials}};
}

json roberta_processing(const std::string& cls, int32_t cls_id, const std::string& sep,
                        int32_t sep_id) {
  return {{"type", "RobertaProcessing"},
          {"sep", json::array({sep, sep_id})},
          {"cls", json::array({cls, cls_id})},
          {"trim_offsets", true},
          {"add_prefix_space", false}};
}

json ending_template(const std::string& end, int32_t end_id, int second) {
  json single = json::array({text_step("A", 0)}), pair = single, specials = json::object();
  if (!end.empty()) {
    single.push_back(special_step(end, 0));
    pair = single;
    specials[end] = special_entry(end, end_id);
  }
  pair.push_back(text_step("B", second));
  if (!end.empty()) pair.push_back(special_step(end, second));
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", specials}};
}

}  // namespace tenfold::text
