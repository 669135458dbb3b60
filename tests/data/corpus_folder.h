// A folder that lives for one test, and the tokenizer its tests share.
// Not here: shared data (tests/golden.h).
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tenfold/error.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

class CorpusFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("tenfold-data-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  static std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
};

/// What an action throws as text; empty where it throws nothing.
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// [PAD] [UNK] [CLS] [SEP] [MASK], then w0 .. w39 and ##p0 .. ##p9.
inline Tokenizer counting_tokenizer() {
  std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (int i = 0; i < 40; ++i) tokens.push_back("w" + std::to_string(i));
  for (int i = 0; i < 10; ++i) tokens.push_back("##p" + std::to_string(i));
  return Tokenizer::wordpiece(std::move(tokens));
}

}  // namespace tenfold::data
