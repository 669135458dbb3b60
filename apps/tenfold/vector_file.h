// Vectors of texts into a file as they come: JSON lines, NumPy's .npy, or safetensors.
// Not here: computing them, or targets that are no files (results_out.h).
#pragma once

#include <filesystem>
#include <memory>
#include <span>

namespace tenfold::app {

class VectorFile {
 public:
  virtual ~VectorFile() = default;
  /// Adds a vector, as long as all others.
  virtual void add(std::span<const float> vector) = 0;
  virtual void flush() {}
  /// Call once, last.
  virtual void finish() = 0;
};

/// By the name: *.npy a float32 array [texts, width]; *.safetensors the same as tensor
/// "embeddings"; otherwise a JSON list a line, to standard output where the path is empty or "-".
/// The first two appear whole or not at all.
std::unique_ptr<VectorFile> open_vectors(const std::filesystem::path& path, size_t width);

}  // namespace tenfold::app
