// The safetensors reader against files that break each rule of the format, and against its own
// writer. Not here: model directories (tests/model).
#include "tensor/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "golden.h"
#include "support/files.h"
#include "support/rng.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold {
namespace {

using ::testing::HasSubstr;

std::string safetensors_bytes(const std::string& header, const std::string& data) {
  uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

std::string refusal_of(const std::string& bytes) {
  try {
    parse_safetensors(as_bytes(bytes), "file");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::checkpoint);
    return error.what();
  }
  return "";
}

std::filesystem::path scratch_file(const std::string& name) {
  return std::filesystem::path(::testing::TempDir()) / name;
}

TEST(Safetensors, EveryHostileFileGetsItsVerdict) {
  TENFOLD_COMPARES_GOLDENS();
  const auto folder = testing::shared_path("goldens/models/hostile");
  std::ifstream in(folder / "verdicts.json");
  const auto verdicts = nlohmann::json::parse(in);
  int compared = 0;
  for (const auto& row : verdicts.at("files")) {
    const auto path = folder / row.at("file").get<std::string>();
    std::string verdict = "accept", message;
    try {
      const SafetensorsFile file = SafetensorsFile::open(path);
      for (const TensorEntry& entry : file.entries()) file.tensor(entry.name);
    } catch (const Error& error) {
      verdict = "reject";
      message = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::checkpoint);
      EXPECT_THAT(message, HasSubstr(path.filename().string()));
    }
    EXPECT_EQ(verdict, row.at("verdict").get<std::string>()) << path << " " << message;
    ++compared;
  }
  EXPECT_GE(compared, 40);
  testing::compared_goldens(static_cast<size_t>(compared));
}

TEST(Safetensors, MessagesNameTheTensorAndTheRule) {
  EXPECT_THAT(
      refusal_of(safetensors_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                                   std::string(12, 'x'))),
      HasSubstr("'a' begins at byte 4 where 0 was expected"));
  EXPECT_THAT(
      refusal_of(safetensors_bytes(
          R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", "xxxx")),
      HasSubstr("more than 8 numbers"));
  EXPECT_THAT(refusal_of(safetensors_bytes(R"({"__metadata__":{"k":"v","k":"w"}})", "")),
              HasSubstr("appears twice"));
  EXPECT_THAT(refusal_of(std::string("\xff\xff\xff\xff\0\0\0\0", 8)), HasSubstr("above the limit"));
}

TEST(Safetensors, SurvivesTruncationAtEveryByte) {
  const std::string whole =
      safetensors_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "12345678");
  EXPECT_EQ(refusal_of(whole), "");
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(refusal_of(whole.substr(0, length)), "") << length;
  }
}

TEST(Safetensors, SurvivesBitFlips) {
  const std::string whole = safetensors_bytes(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})",
      "1234567812345678");
  RandomStream random(1, "flips");
  for (int i = 0; i < 10'000; ++i) {
    std::string flipped = whole;
    flipped[random.next() % whole.size()] ^= static_cast<char>(1U << (random.next() % 8));
    try {
      const auto header = parse_safetensors(as_bytes(flipped), "flipped");
      for (const auto& entry : header.tensors) EXPECT_LE(entry.end, 16U);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::checkpoint);
    }
  }
}

TEST(Safetensors, ReadsBackWhatItWroteInEveryType) {
  const auto path = scratch_file("types.safetensors");
  NamedTensors written;
  for (auto type :
       {torch::kFloat64, torch::kFloat32, torch::kFloat16, torch::kBFloat16, torch::kInt64,
        torch::kInt32, torch::kInt16, torch::kInt8, torch::kUInt8, torch::kBool}) {
    written.emplace_back(c10::toString(type), torch::arange(6).reshape({2, 3}).to(type));
  }
  written.emplace_back("empty", torch::empty({0, 3}));
  written.emplace_back("transposed", torch::arange(6).reshape({2, 3}).t());
  write_safetensors(path, written);
  const SafetensorsFile file = SafetensorsFile::open(path);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_EQ(file.entries().size(), written.size());
  for (const auto& [name, tensor] : written) {
    EXPECT_TRUE(torch::equal(file.tensor(name), tensor)) << name;
    EXPECT_EQ(file.tensor(name).scalar_type(), tensor.scalar_type()) << name;
  }
}

TEST(Safetensors, TensorsOutliveTheFileObject) {
  const auto path = scratch_file("alive.safetensors");
  write_safetensors(path, {{"a", torch::ones({1000})}});
  Tensor kept;
  {
    const SafetensorsFile file = SafetensorsFile::open(path);
    kept = file.tensor("a");
  }
  std::filesystem::remove(path);
  EXPECT_EQ(kept.sum().item<float>(), 1000.0F);
}

}  // namespace
}  // namespace tenfold
