// Zip archives whose entries are stored as they are, as PyTorch writes its checkpoints: where each
// entry's bytes lie. Not here: compressed or encrypted entries (refused), several disks, writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tenfold {

/// Bytes [begin, end) of the archive.
struct ZipEntry {
  std::string name;
  uint64_t begin = 0, end = 0;
};

/// Whether the bytes begin as a zip archive does.
bool looks_like_zip(std::span<const std::byte> bytes);

/// More are refused.
inline constexpr uint64_t kMostZipEntries = 65536;

/// The entries by place. Error{checkpoint} naming `file` where the directory is damaged, names
/// repeat or entries overlap; Error{unsupported} for compressed or encrypted ones.
std::vector<ZipEntry> parse_stored_zip(std::span<const std::byte> bytes, const std::string& file);

}  // namespace tenfold
