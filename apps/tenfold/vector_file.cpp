// Three formats of vectors; headers that state how many there are get their room first.
// Not here: the safetensors header itself (tensor/safetensors.h).
#include "vector_file.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <string>

#include "results_out.h"
#include "support/fail.h"
#include "support/files.h"
#include "tensor/safetensors.h"

namespace tenfold::app {
namespace {

static_assert(std::endian::native == std::endian::little, "both formats are little-endian");

/// Rows as bytes behind a header of fixed size, which is written again at the end.
class BinaryVectors final : public VectorFile {
 public:
  using Header = std::string (*)(size_t rows, size_t width);

  BinaryVectors(const std::filesystem::path& path, size_t width, Header header)
      : file_(path), header_(header), width_(width) {
    file_.write(header_(0, width_));
  }

  void add(std::span<const float> vector) override {
    require(vector.size() == width_, ErrorKind::internal, "vectors", "{} numbers, {} expected",
            vector.size(), width_);
    file_.write(std::as_bytes(vector));
    ++rows_;
  }

  void finish() override {
    file_.rewrite_start(header_(rows_, width_));
    file_.commit();
  }

 private:
  AtomicFile file_;
  Header header_;
  size_t width_, rows_ = 0;
};

/// NumPy's format, version 1.0: magic, length of the header, a Python literal padded to 128 bytes.
std::string npy_header(size_t rows, size_t width) {
  constexpr size_t kSize = 128;
  std::string header("\x93NUMPY\x01\x00", 8);
  const auto length = static_cast<uint16_t>(kSize - header.size() - 2);
  header += static_cast<char>(length & 0xFF);
  header += static_cast<char>(length >> 8);
  header +=
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, width);
  header.resize(kSize - 1, ' ');
  return header + '\n';
}

/// The format allows blanks behind the header's JSON.
std::string tensors_header(size_t rows, size_t width) {
  constexpr size_t kSize = 256;
  std::vector<TensorEntry> tensors{
      {.name = "embeddings",
       .type = ElementType::f32,
       .shape = {static_cast<int64_t>(rows), static_cast<int64_t>(width)}}};
  std::string header = make_safetensors_header(tensors, {{"format", "pt"}});
  header.resize(kSize, ' ');
  const uint64_t length = kSize - sizeof(uint64_t);
  std::memcpy(header.data(), &length, sizeof(length));
  return header;
}

class JsonVectors final : public VectorFile {
 public:
  explicit JsonVectors(const std::filesystem::path& path) : out_(path) {}

  void add(std::span<const float> vector) override {
    line_ = "[";
    for (const float x : vector) fmt::format_to(std::back_inserter(line_), "{},", x);
    if (line_.size() > 1) line_.pop_back();
    out_.line(line_ += ']');
  }
  void flush() override { out_.flush(); }
  void finish() override { out_.finish(); }

 private:
  ResultsOut out_;
  std::string line_;
};

}  // namespace

std::unique_ptr<VectorFile> open_vectors(const std::filesystem::path& path, size_t width) {
  if (path.extension() == ".npy") return std::make_unique<BinaryVectors>(path, width, npy_header);
  if (path.extension() == ".safetensors")
    return std::make_unique<BinaryVectors>(path, width, tensors_header);
  return std::make_unique<JsonVectors>(path);
}

}  // namespace tenfold::app
