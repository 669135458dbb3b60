// The shape of the source tree: who includes whom, one door to torch, file sizes and opening
// comments. Not here: whether anything compiles; this reads the files as text.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

const fs::path kRoot = TENFOLD_SOURCE_DIR;
constexpr size_t kLongestFile = 600;
const std::string kDoor = "src/tensor/torch.h";

// What each layer may include besides itself (docs/architecture.md says the same in words).
const std::map<std::string, Names>& layer_table() {
  static const std::map<std::string, Names> table = [] {
    std::map<std::string, Names> t;
    const auto add = [&t](const std::string& layer, const Names& direct) {
      for (const std::string& below : direct) {
        t[layer].insert(below);
        t[layer].insert(t[below].begin(), t[below].end());
      }
      t[layer].insert(layer);
    };
    add("support", {});
    add("config", {"support"});
    add("text", {"support"});
    add("tensor", {"config", "support"});
    add("nn", {"tensor"});
    add("data", {"text", "tensor"});
    add("model", {"nn", "data"});
    add("decode", {"model"});
    add("train", {"model", "decode"});
    add("eval", {"model", "decode"});
    add("serve", {"model", "decode"});
    add("study", {"eval"});
    add("methods", {"train", "eval", "serve"});
    return t;
  }();
  return table;
}

// The layer behind each public header; a header that is missing here has no place in the order.
const std::map<std::string, std::string>& public_headers() {
  static const std::map<std::string, std::string> table = {
      {"error.h", "support"},    {"config.h", "config"},   {"tokenizer.h", "text"},
      {"vocabulary.h", "text"},  {"model.h", "model"},     {"pipeline.h", "model"},
      {"trainer.h", "train"},    {"methods.h", "methods"}, {"version.h", "support"},
      {"checkpoint.h", "model"}, {"evaluation.h", "eval"},
  };
  return table;
}

bool is_source(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
}

// Paths relative to the root, with forward slashes.
std::vector<std::string> sources_under(const std::vector<std::string>& folders) {
  std::vector<std::string> found;
  for (const std::string& folder : folders) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) {
        found.push_back(fs::relative(entry.path(), kRoot).generic_string());
      }
    }
  }
  return found;
}

std::string text_of(const std::string& path) {
  std::ifstream file(kRoot / path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Include {
  std::string name;
  bool quoted;
};

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex pattern(R"re(^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">])re");
  std::vector<Include> includes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, pattern)) includes.push_back({match[2], match[1] == "\""});
  }
  return includes;
}

// "nn" of "src/nn/linear.h"; "methods/electra" of a method's file; "methods" of the registration
// list; "apps" and "include" of the other trees.
std::string owner_of(const std::string& path) {
  static const std::regex method("^src/methods/([^/]+)/.*");
  static const std::regex layer("^src/([^/]+)/.*");
  std::smatch match;
  if (std::regex_match(path, match, method)) return "methods/" + match[1].str();
  if (std::regex_match(path, match, layer)) return match[1];
  return path.substr(0, path.find('/'));
}

std::string first_folder(const std::string& include) {
  return include.substr(0, include.find('/'));
}

// Why the owner may not include the name; empty where it may.
std::string objection(const std::string& owner, const std::string& name) {
  if (name.find('/') == std::string::npos)
    return owner == "apps" ? "" : "is not written from the root of src/";
  if (name.find("..") != std::string::npos) return "climbs out of its folder";
  if (first_folder(name) == "tenfold") {
    const auto found = public_headers().find(name.substr(8));
    if (found == public_headers().end()) return "is not in this test's table of public headers";
    if (owner == "apps" || owner == "include" || owner.starts_with("methods")) return "";
    return layer_table().at(owner).contains(found->second) ? "" : "belongs to " + found->second;
  }
  if (owner == "include") return "is not public";
  if (owner == "apps" || owner == "methods") return "";
  const std::string target = owner_of("src/" + name);
  if (owner.starts_with("methods/")) {
    if (target.starts_with("methods")) return target == owner ? "" : "is another method's";
    return layer_table().at("methods").contains(target) ? "" : "is no layer's";
  }
  return layer_table().at(owner).contains(target) ? "" : "stands above or beside it";
}

TEST(Architecture, EveryLayerIncludesOnlyWhatItMayUse) {
  for (const std::string& path : sources_under({"src", "include", "apps"})) {
    const std::string owner = owner_of(path);
    const bool known = owner == "apps" || owner == "include" || owner.starts_with("methods") ||
                       layer_table().contains(owner);
    ASSERT_TRUE(known) << path << ": the folder is no layer of the table";
    if (path.ends_with("_test.cpp")) continue;
    for (const Include& include : includes_of(text_of(path))) {
      if (!include.quoted) continue;
      const std::string reason = objection(owner, include.name);
      EXPECT_TRUE(reason.empty()) << path << " includes \"" << include.name << "\", which "
                                  << reason;
    }
  }
}

TEST(Architecture, OnlyTheDoorIncludesTorch) {
  const Names torch_folders = {"torch", "ATen", "c10", "caffe2"};
  for (const std::string& path : sources_under({"src", "include", "apps", "tests", "bench"})) {
    if (path == kDoor) continue;
    for (const Include& include : includes_of(text_of(path))) {
      EXPECT_FALSE(torch_folders.contains(first_folder(include.name)))
          << path << " includes " << include.name << "; only " << kDoor << " may";
    }
  }
}

TEST(Architecture, TorchFreeLayersDoNotReachTheDoor) {
  for (const std::string& path :
       sources_under({"src/support", "src/config", "src/text", "include"})) {
    for (const Include& include : includes_of(text_of(path))) {
      EXPECT_NE("src/" + include.name, kDoor) << path;
    }
  }
}

TEST(Architecture, FilesAreShortAndSayFirstWhatTheyAre) {
  for (const std::string& path : sources_under({"src", "include", "apps", "tests", "bench"})) {
    const std::string text = text_of(path);
    const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_LE(lines, kLongestFile) << path;
    EXPECT_TRUE(text.starts_with("//")) << path << ": the first line must say what the file is";
  }
}

TEST(Architecture, MethodsAreCompleteFolders) {
  const fs::path methods = kRoot / "src/methods";
  if (!fs::exists(methods)) return;
  for (const auto& entry : fs::directory_iterator(methods)) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string();
    std::vector<std::string> files{"README.md", name + "_test.cpp", "recipe.toml"};
    // A method that is a switch of the layers below (RealFormer) registers nothing.
    const bool has_code = sources_under({"src/methods/" + name}).size() > 1;
    if (has_code) files.insert(files.end(), {name + ".h", "register.cpp"});
    for (const std::string& file : files)
      EXPECT_TRUE(fs::exists(entry.path() / file)) << "src/methods/" << name << " lacks " << file;
  }
}

TEST(Architecture, TheTableRefusesWhatItShould) {
  EXPECT_EQ(objection("nn", "tensor/mask.h"), "");
  EXPECT_EQ(objection("nn", "support/fail.h"), "");
  EXPECT_NE(objection("nn", "data/batch.h"), "");
  EXPECT_NE(objection("data", "nn/linear.h"), "");
  EXPECT_NE(objection("text", "config/fields.h"), "");
  EXPECT_NE(objection("train", "eval/metrics.h"), "");
  EXPECT_NE(objection("support", "tenfold/tokenizer.h"), "");
  EXPECT_EQ(objection("methods/electra", "methods/electra/electra.h"), "");
  EXPECT_NE(objection("methods/electra", "methods/t5/t5.h"), "");
  EXPECT_NE(objection("include", "nn/linear.h"), "");
  EXPECT_NE(objection("config", "../text/unicode.h"), "");
}

}  // namespace
