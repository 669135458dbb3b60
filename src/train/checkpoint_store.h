// The checkpoints of a run folder: written whole or invisible, verified before use, the oldest
// removed last. Not here: what a checkpoint holds (the caller writes the files).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "support/files.h"
#include "support/log.h"

namespace tenfold::train {

struct Checkpoint {
  std::filesystem::path folder;
  int64_t step = 0;
};

/// Writes files into an empty folder.
using WriteFiles = std::function<void(const std::filesystem::path& folder)>;

/// RUN/checkpoint-<step>, RUN/latest and RUN/best (links). One process a run folder: it holds
/// RUN/.lock.
class CheckpointStore {
 public:
  /// Makes the folder where needed and clears what killed runs left half done. `log` must outlive
  /// it.
  CheckpointStore(std::filesystem::path run, Log& log);

  /// Adds checkpoint-<step>: a temporary folder, the caller's files, manifest.json with sizes and
  /// checksums, fsync of everything, rename, then RUN/latest. On failure (Error{run}) the older
  /// ones are as before.
  void save(int64_t step, const WriteFiles& write);

  /// The newest one whose manifest holds; damaged newer ones are named in the log. None where there
  /// are no checkpoints; Error{checkpoint} where there are only damaged ones.
  std::optional<Checkpoint> newest_whole() const;

  /// Points RUN/best at checkpoint-<step>, where that stands.
  void mark_best(int64_t step);

  /// Removes all but the newest `keep` and, where given, the best.
  void prune(int64_t keep, std::optional<int64_t> best);

  /// Removes the checkpoints after `step`: a resumed run writes them anew.
  void drop_after(int64_t step);

  bool empty() const;
  const std::filesystem::path& run() const { return run_; }

 private:
  std::filesystem::path folder_of(int64_t step) const;
  void discard(const std::filesystem::path& folder);

  std::filesystem::path run_;
  Log& log_;
  std::optional<FileLock> lock_;
};

/// Writes manifest.json for the files in `folder` and makes all of them durable. Error{run}.
void write_manifest(const std::filesystem::path& folder);

/// Why the folder is not what its manifest says: "model.safetensors has another checksum"; none
/// where it is.
std::optional<std::string> manifest_fault(const std::filesystem::path& folder);

}  // namespace tenfold::train
