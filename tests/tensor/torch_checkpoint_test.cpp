// PyTorch checkpoints read without executing anything: what is accepted has the values that were
// written, and everything that is no plain state_dict is refused by name. Not here: model
// directories (tests/model) and random damage (tests/fuzz).
#include "tensor/torch_checkpoint.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tenfold/error.h"
#include "torch_file.h"

namespace tenfold {
namespace {

using ::testing::HasSubstr;
namespace pickle = testing::pickle;

std::string floats(std::initializer_list<float> values) {
  std::string bytes;
  for (const float value : values) bytes += testing::number_bytes(value);
  return bytes;
}

MappedTensors open_bytes(const std::string& bytes) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "checkpoint.bin";
  std::ofstream(path, std::ios::binary) << bytes;
  return MappedTensors::open_torch_checkpoint(path, Access::whole);
}

/// The refusal of `bytes`: its kind and message.
std::pair<ErrorKind, std::string> refusal(const std::string& bytes) {
  try {
    open_bytes(bytes);
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "accepted";
  return {ErrorKind::internal, ""};
}

void expect_refused(const std::string& bytes, ErrorKind kind, const std::string& why) {
  const auto [got, message] = refusal(bytes);
  EXPECT_EQ(static_cast<int>(got), static_cast<int>(kind)) << message;
  EXPECT_THAT(message, HasSubstr(why));
}

/// An archive whose one tensor "w" is given by `value`, over the storage of six floats 0 .. 5.
std::string one_tensor(const std::string& value) {
  return testing::torch_archive(pickle::state_dict({{"w", value}}), {floats({0, 1, 2, 3, 4, 5})});
}

std::string six_floats() { return pickle::storage("FloatStorage", "0", 6); }

TEST(TorchCheckpoint, ValuesAreThoseThatWereWritten) {
  const auto file = open_bytes(one_tensor(pickle::tensor(six_floats(), 0, {2, 3}, {3, 1})));
  EXPECT_TRUE(torch::equal(file.tensor("w"), torch::arange(6.0F).view({2, 3})));
}

TEST(TorchCheckpoint, ViewsOfOneStorageScalarsAndTransposedTensors) {
  const std::string bytes = testing::torch_archive(
      pickle::state_dict({{"tail", pickle::tensor(six_floats(), 4, {2}, {1})},
                          {"transposed", pickle::tensor(six_floats(), 0, {3, 2}, {1, 3})},
                          {"column", pickle::tensor(six_floats(), 1, {2}, {3})},
                          {"scalar", pickle::tensor(six_floats(), 5, {}, {})},
                          {"none", pickle::tensor(six_floats(), 6, {0, 4}, {4, 1})}}),
      {floats({0, 1, 2, 3, 4, 5})});
  const auto file = open_bytes(bytes);
  const Tensor all_23 = torch::arange(6.0F).view({2, 3});
  EXPECT_TRUE(torch::equal(file.tensor("tail"), torch::tensor({4.0F, 5.0F})));
  EXPECT_TRUE(torch::equal(file.tensor("transposed"), all_23.t()));
  EXPECT_TRUE(file.tensor("transposed").is_contiguous());
  EXPECT_TRUE(torch::equal(file.tensor("column"), torch::tensor({1.0F, 4.0F})));
  EXPECT_EQ(file.tensor("scalar").item<float>(), 5.0F);
  EXPECT_EQ(file.tensor("none").sizes(), (std::vector<int64_t>{0, 4}));
}

TEST(TorchCheckpoint, EveryElementType) {
  const std::vector<std::tuple<const char*, torch::ScalarType, int64_t>> types = {
      {"DoubleStorage", torch::kFloat64, 8}, {"FloatStorage", torch::kFloat32, 4},
      {"HalfStorage", torch::kFloat16, 2},   {"BFloat16Storage", torch::kBFloat16, 2},
      {"LongStorage", torch::kInt64, 8},     {"IntStorage", torch::kInt32, 4},
      {"ShortStorage", torch::kInt16, 2},    {"CharStorage", torch::kInt8, 1},
      {"ByteStorage", torch::kUInt8, 1},     {"BoolStorage", torch::kBool, 1}};
  for (const auto& [name, type, size] : types) {
    const std::string bytes = testing::torch_archive(
        pickle::state_dict({{"w", pickle::tensor(pickle::storage(name, "0", 3), 0, {3}, {1})}}),
        {std::string(static_cast<size_t>(3 * size), '\0')});
    const Tensor w = open_bytes(bytes).tensor("w");
    EXPECT_EQ(w.scalar_type(), type) << name;
    EXPECT_TRUE(torch::equal(w, torch::zeros({3}, type))) << name;
  }
}

TEST(TorchCheckpoint, ParametersAndTheAttributesOfAStateDict) {
  const std::string parameter = pickle::global("torch._utils", "_rebuild_parameter") + "(" +
                                pickle::tensor(six_floats(), 0, {6}, {1}) + "\x88" +
                                pickle::ordered_dict() + "tR";
  std::string ops = pickle::state_dict({{"w", parameter}});
  ops.pop_back();  // the end; _metadata follows as torch writes it, a dict of dicts
  ops += "}" + pickle::text("_metadata") + pickle::ordered_dict() + pickle::text("") + "}" +
         pickle::text("version") + "K\1sss" + "b.";
  const auto file = open_bytes(testing::torch_archive(ops, {floats({0, 1, 2, 3, 4, 5})}));
  ASSERT_EQ(file.entries().size(), 1U);
  EXPECT_TRUE(torch::equal(file.tensor("w"), torch::arange(6.0F)));
}

TEST(TorchCheckpoint, AFileWrittenByTorchItself) {
  // Made by tests/interop/torch_file_golden.py: a transposed view, a shared storage, 16 bits.
  const auto file = MappedTensors::open_torch_checkpoint(
      std::filesystem::path(TENFOLD_SOURCE_DIR) / "tests/tensor/golden/written_by_torch.bin",
      Access::whole);
  const Tensor a = torch::arange(6.0F).view({2, 3});
  EXPECT_TRUE(torch::equal(file.tensor("a"), a));
  EXPECT_TRUE(torch::equal(file.tensor("a.transposed"), a.t()));
  EXPECT_TRUE(torch::equal(file.tensor("a.shared"), a));
  EXPECT_TRUE(torch::equal(file.tensor("half"), torch::tensor({1.5, -2.0}).to(torch::kFloat16)));
  EXPECT_TRUE(torch::equal(file.tensor("wide"), torch::tensor({1.5, -2.0}).to(torch::kBFloat16)));
  EXPECT_EQ(file.tensor("count").item<int64_t>(), 7);
  EXPECT_TRUE(torch::equal(file.tensor("layer.bias"), torch::zeros({2})));
}

TEST(TorchCheckpoint, NothingButTensorsIsBuilt) {
  const auto in_place_of_a_tensor = [](const std::string& value) { return one_tensor(value); };
  expect_refused(
      in_place_of_a_tensor(pickle::global("os", "system") + "(" + pickle::text("true") + "tR"),
      ErrorKind::unsupported, "'os.system'");
  expect_refused(in_place_of_a_tensor(pickle::text("builtins") + pickle::text("eval") + "\x93"),
                 ErrorKind::unsupported, "'builtins.eval'");
  expect_refused(in_place_of_a_tensor(pickle::global("torch", "FloatStorage") + ")R"),
                 ErrorKind::unsupported, "'torch.FloatStorage'");
  expect_refused(in_place_of_a_tensor("(i__main__\nModel\n"), ErrorKind::unsupported,
                 "opcode 0x69");
  expect_refused(in_place_of_a_tensor(pickle::text("text")), ErrorKind::unsupported,
                 "the value of 'w' is no tensor");
  expect_refused(testing::torch_archive("\x80\x02" + pickle::text("text") + ".", {}),
                 ErrorKind::unsupported, "the file holds no dict");
}

TEST(TorchCheckpoint, WhatLiesNotInTheFileIsNotRead) {
  const auto view = [](int64_t offset, const std::vector<int64_t>& shape,
                       const std::vector<int64_t>& strides) {
    return one_tensor(pickle::tensor(six_floats(), offset, shape, strides));
  };
  constexpr int64_t kHuge = int64_t{1} << 62;
  expect_refused(view(5, {2}, {1}), ErrorKind::checkpoint, "passes the end of its storage");
  expect_refused(view(0, {2, 3}, {4, 1}), ErrorKind::checkpoint, "passes the end of its storage");
  expect_refused(view(-1, {2}, {1}), ErrorKind::checkpoint, "below 0");
  expect_refused(view(0, {-2}, {1}), ErrorKind::checkpoint, "below 0");
  expect_refused(view(0, {2}, {-1}), ErrorKind::checkpoint, "below 0");
  expect_refused(view(0, {kHuge, 4}, {0, 0}), ErrorKind::checkpoint, "overflows 64 bits");
  expect_refused(view(0, {4, 4}, {kHuge, kHuge}), ErrorKind::checkpoint, "overflow 64 bits");
  expect_refused(view(0, {2}, {1, 1}), ErrorKind::checkpoint, "shape and strides differ");
  expect_refused(view(0, {1000, 6}, {0, 1}), ErrorKind::unsupported, "overlapping view");
  expect_refused(one_tensor(pickle::tensor(pickle::storage("FloatStorage", "1", 6), 0, {6}, {1})),
                 ErrorKind::checkpoint, "lacks its storage data/1");
  expect_refused(one_tensor(pickle::tensor(pickle::storage("FloatStorage", "0", 7), 0, {6}, {1})),
                 ErrorKind::checkpoint, "data/0 has 24 bytes");
}

TEST(TorchCheckpoint, DamagedPickles) {
  const auto refused = [](const std::string& ops, const std::string& why) {
    expect_refused(testing::torch_archive(ops, {}), ErrorKind::checkpoint, why);
  };
  refused("\x80\x02", "ends within an object");
  refused("\x80\x02R.", "the stack is empty");
  refused("\x80\x02h\x05.", "memo 5 was never set");
  refused("\x80\x02u.", "no mark");
  refused("\x80\x01.", "protocol 1");
  refused("\x80\x02}.}", "1 bytes after the end");
  refused(pickle::state_dict({{"w", pickle::tensor(pickle::text("x"), 0, {1}, {1})}}),
          "a storage was expected");
  const std::string w = pickle::tensor(six_floats(), 0, {6}, {1});
  expect_refused(testing::torch_archive(pickle::state_dict({{"w", w}, {"w", w}}),
                                        {floats({0, 1, 2, 3, 4, 5})}),
                 ErrorKind::checkpoint, "'w' appears twice");
}

TEST(TorchCheckpoint, OtherFormatsAreRefusedWithWhatToDo) {
  expect_refused(
      "\x80\x02\x8a\nl\xfc\x9c"
      "F\xf9 j\xa8P\x19.",
      ErrorKind::unsupported, "torch.save(torch.load(FILE");
  expect_refused("not an archive", ErrorKind::checkpoint, "does not begin as a zip archive");
  const std::string ops = pickle::state_dict({});
  expect_refused(testing::zip_archive({{"archive/data.pkl", ops, 8}}), ErrorKind::unsupported,
                 "compressed");
  expect_refused(testing::zip_archive({{"archive/other", ops}}), ErrorKind::checkpoint,
                 "no data.pkl");
  expect_refused(testing::zip_archive({{"archive/data.pkl", ops}, {"archive/constants.pkl", ""}}),
                 ErrorKind::unsupported, "TorchScript");
  expect_refused(testing::zip_archive({{"archive/data.pkl", ops}, {"archive/byteorder", "big"}}),
                 ErrorKind::unsupported, "little-endian");
  expect_refused(testing::zip_archive({{"archive/data.pkl", ops}, {"archive/data.pkl", ops}}),
                 ErrorKind::checkpoint, "appears twice");
  std::string cut = testing::zip_archive({{"archive/data.pkl", ops}});
  cut.pop_back();
  expect_refused(cut, ErrorKind::checkpoint, "no end record");
}

}  // namespace
}  // namespace tenfold
