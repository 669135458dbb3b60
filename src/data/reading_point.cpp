// Marks of input files and their comparison.
// Not here: seeking (text_lines.cpp).
#include "data/reading_point.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/checksum.h"
#include "support/fail.h"

namespace tenfold::data {
namespace {

constexpr size_t kMarkedBytes = 64 << 10;

/// How `now` differs from `then`; empty where it does not.
std::string difference(const InputMark& then, const InputMark& now) {
  if (then.stream != now.stream) return then.stream ? "it was a stream" : "it was a file";
  if (then.bytes != now.bytes) return fmt::format("{} bytes, then {}", now.bytes, then.bytes);
  if (then.head != now.head) return "its first bytes differ";
  if (then.modified != now.modified) return "it was written to since";
  return {};
}

}  // namespace

InputMark mark_of(const std::filesystem::path& path) {
  InputMark mark;
  mark.path = path.string();
  mark.stream = path == "-" || !std::filesystem::is_regular_file(path);
  if (mark.stream) return mark;
  std::ifstream file(path, std::ios::binary);
  require(file.is_open(), ErrorKind::data, "read", "cannot open {}", path.string());
  std::string head(kMarkedBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(file.gcount()));
  mark.bytes = std::filesystem::file_size(path);
  mark.modified = std::filesystem::last_write_time(path).time_since_epoch().count();
  mark.head = xxh3_64(head);
  return mark;
}

std::string ReadingPoint::text() const {
  nlohmann::ordered_json all{{"layout", layout},       {"text_key", text_key},
                             {"file", file},           {"offset", place.offset},
                             {"line", place.number},   {"digest", place.digest},
                             {"documents", documents}, {"bad_rows", bad_rows},
                             {"first_bad", first_bad}, {"inputs", nlohmann::ordered_json::array()}};
  for (const InputMark& mark : inputs) {
    all["inputs"].push_back({{"path", mark.path},
                             {"stream", mark.stream},
                             {"bytes", mark.bytes},
                             {"modified", mark.modified},
                             {"head", mark.head}});
  }
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ReadingPoint ReadingPoint::parse(const std::string& text) {
  try {
    const auto all = nlohmann::json::parse(text);
    ReadingPoint point{.inputs = {},
                       .layout = all.at("layout"),
                       .text_key = all.at("text_key"),
                       .file = all.at("file"),
                       .place = {all.at("offset"), all.at("line"), all.at("digest")},
                       .documents = all.at("documents"),
                       .bad_rows = all.at("bad_rows"),
                       .first_bad = all.at("first_bad")};
    for (const auto& mark : all.at("inputs")) {
      point.inputs.push_back({mark.at("path"), mark.at("stream"), mark.at("bytes"),
                              mark.at("modified"), mark.at("head")});
    }
    require(point.file < point.inputs.size(), ErrorKind::data, "read", "no input {}", point.file);
    return point;
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::data, "read",
         "the unfinished shards do not say where reading stood: choose another folder");
  }
}

void ReadingPoint::require_same_corpus(const ReadingPoint& now) const {
  const auto same = [](bool holds, const std::string& what) {
    require(holds, ErrorKind::data, "read",
            "{}: unfinished shards go on only from the same inputs; choose another folder", what);
  };
  same(inputs.size() == now.inputs.size(),
       fmt::format("{} inputs, begun with {}", now.inputs.size(), inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string why = difference(inputs[i], now.inputs[i]);
    same(why.empty(), fmt::format("{} changed ({})", now.inputs[i].path, why));
  }
  same(layout == now.layout, fmt::format("layout {}, begun with {}", now.layout, layout));
  same(text_key == now.text_key,
       fmt::format("text key '{}', begun with '{}'", now.text_key, text_key));
}

}  // namespace tenfold::data
