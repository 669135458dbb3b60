// The central directory of a zip archive and the local headers it points to (PKWARE, APPNOTE.TXT
// 6.3, sections 4.3 and 4.5.3). Not here: what the entries mean.
#include "tensor/stored_zip.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "support/fail.h"
#include "support/files.h"

namespace tenfold {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50, kEnd = 0x06054b50,
                   kEnd64 = 0x06064b50, kEnd64Place = 0x07064b50;
constexpr uint64_t kLocalSize = 30, kDirectoryEntrySize = 46, kEndSize = 22, kEnd64Size = 56,
                   kEnd64PlaceSize = 20;
constexpr uint64_t kLongestComment = 65535;
constexpr size_t kLongestEntryName = 512;
constexpr uint16_t kEncrypted = 1;

/// Reads little-endian numbers at checked places.
class ZipBytes {
 public:
  ZipBytes(std::span<const std::byte> bytes, const std::string& file)
      : bytes_(bytes), file_(file) {}

  uint64_t size() const { return bytes_.size(); }
  template <typename T>
  T number(uint64_t at) const {
    need(at, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  std::string_view text(uint64_t at, uint64_t length) const {
    need(at, length);
    return as_text(bytes_.subspan(at, length));
  }
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::checkpoint, "zip", "{}: {}", file_,
         fmt::format(format, std::forward<Args>(args)...));
  }
  void need(uint64_t at, uint64_t length) const {
    if (at > bytes_.size() || length > bytes_.size() - at)
      refuse("bytes {}..+{} lie outside the archive of {} (cut off?)", at, length, bytes_.size());
  }
  const std::string& file() const { return file_; }

 private:
  std::span<const std::byte> bytes_;
  const std::string& file_;
};

struct ZipDirectory {
  uint64_t begin = 0, end = 0, entries = 0;
};

/// Where the end record stands: last in the file, but for a comment whose length it states.
uint64_t find_end(const ZipBytes& zip) {
  if (zip.size() >= kEndSize) {
    const uint64_t last = zip.size() - kEndSize;
    const uint64_t first = last > kLongestComment ? last - kLongestComment : 0;
    for (uint64_t at = last + 1; at-- > first;) {
      if (zip.number<uint32_t>(at) == kEnd && zip.number<uint16_t>(at + 20) == last - at) return at;
    }
  }
  zip.refuse("the archive has no end record (cut off?)");
}

ZipDirectory find_directory(const ZipBytes& zip) {
  const uint64_t end = find_end(zip);
  ZipDirectory directory{
      .begin = zip.number<uint32_t>(end + 16), .end = 0, .entries = zip.number<uint16_t>(end + 10)};
  uint64_t length = zip.number<uint32_t>(end + 12), behind = end;
  const bool wide =
      directory.begin == UINT32_MAX || length == UINT32_MAX || directory.entries == UINT16_MAX ||
      (end >= kEnd64PlaceSize && zip.number<uint32_t>(end - kEnd64PlaceSize) == kEnd64Place);
  if (wide) {
    if (end < kEnd64PlaceSize || zip.number<uint32_t>(end - kEnd64PlaceSize) != kEnd64Place)
      zip.refuse("the 64-bit end record is missing");
    const uint64_t end64 = zip.number<uint64_t>(end - kEnd64PlaceSize + 8);
    zip.need(end64, kEnd64Size);
    if (zip.number<uint32_t>(end64) != kEnd64) zip.refuse("the 64-bit end record is damaged");
    directory.entries = zip.number<uint64_t>(end64 + 32);
    length = zip.number<uint64_t>(end64 + 40);
    directory.begin = zip.number<uint64_t>(end64 + 48);
    behind = end64;
  }
  zip.need(directory.begin, length);
  directory.end = directory.begin + length;
  if (directory.end > behind) zip.refuse("the directory passes its end record");
  if (directory.entries > kMostZipEntries)
    zip.refuse("{} entries, at most {} are taken", directory.entries, kMostZipEntries);
  return directory;
}

/// Sizes and place of an entry; those of 32 bits that are all ones stand in the 64-bit extra field.
struct EntryNumbers {
  uint64_t packed, plain, local;
};

EntryNumbers entry_numbers(const ZipBytes& zip, uint64_t at, uint64_t extra, uint64_t extra_end) {
  EntryNumbers numbers{zip.number<uint32_t>(at + 20), zip.number<uint32_t>(at + 24),
                       zip.number<uint32_t>(at + 42)};
  while (extra + 4 <= extra_end) {
    const auto kind = zip.number<uint16_t>(extra);
    const uint64_t begin = extra + 4, end = begin + zip.number<uint16_t>(extra + 2);
    if (end > extra_end) zip.refuse("an extra field passes its entry");
    if (kind == 1) {
      uint64_t field = begin;
      for (uint64_t* number : {&numbers.plain, &numbers.packed, &numbers.local}) {
        if (*number != UINT32_MAX) continue;
        if (field + 8 > end) zip.refuse("a 64-bit extra field is cut off");
        *number = zip.number<uint64_t>(field);
        field += 8;
      }
    }
    extra = end;
  }
  return numbers;
}

/// The entry described at `at` of the directory, and the place behind its description.
ZipEntry read_entry(const ZipBytes& zip, const ZipDirectory& directory, uint64_t& at) {
  if (at + kDirectoryEntrySize > directory.end || zip.number<uint32_t>(at) != kDirectoryEntry)
    zip.refuse("the directory is damaged at byte {}", at);
  const auto flags = zip.number<uint16_t>(at + 8), method = zip.number<uint16_t>(at + 10);
  const auto name_length = zip.number<uint16_t>(at + 28);
  const uint64_t extra = at + kDirectoryEntrySize + name_length;
  const uint64_t extra_end = extra + zip.number<uint16_t>(at + 30);
  const uint64_t next = extra_end + zip.number<uint16_t>(at + 32);
  if (next > directory.end) zip.refuse("the directory is damaged at byte {}", at);
  if (name_length > kLongestEntryName)
    zip.refuse("an entry's name has more than {} bytes", kLongestEntryName);
  ZipEntry entry{
      .name = std::string(zip.text(at + kDirectoryEntrySize, name_length)), .begin = 0, .end = 0};
  const EntryNumbers numbers = entry_numbers(zip, at, extra, extra_end);
  require(method == 0 && (flags & kEncrypted) == 0, ErrorKind::unsupported, "zip",
          "{}: '{}' is compressed or encrypted: only stored entries are read, as torch.save writes "
          "them",
          zip.file(), entry.name);
  if (numbers.packed != numbers.plain) zip.refuse("'{}' states two sizes", entry.name);
  if (numbers.local > directory.begin || directory.begin - numbers.local < kLocalSize ||
      zip.number<uint32_t>(numbers.local) != kLocalHeader)
    zip.refuse("'{}' has no header at byte {}", entry.name, numbers.local);
  const auto local_name = zip.number<uint16_t>(numbers.local + 26);
  entry.begin = numbers.local + kLocalSize + local_name + zip.number<uint16_t>(numbers.local + 28);
  if (entry.begin > directory.begin || numbers.plain > directory.begin - entry.begin)
    zip.refuse("'{}' claims {} bytes from {} of {}", entry.name, numbers.plain, entry.begin,
               directory.begin);
  if (zip.text(numbers.local + kLocalSize, local_name) != entry.name)
    zip.refuse("'{}' has another name in its header", entry.name);
  entry.end = entry.begin + numbers.plain;
  at = next;
  return entry;
}

void check_entries(const ZipBytes& zip, std::vector<ZipEntry>& entries) {
  std::vector<std::string_view> names;
  for (const ZipEntry& entry : entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) zip.refuse("'{}' appears twice", *twice);
  std::sort(entries.begin(), entries.end(), [](const ZipEntry& a, const ZipEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].begin < entries[i - 1].end)
      zip.refuse("'{}' overlaps '{}'", entries[i].name, entries[i - 1].name);
  }
}

}  // namespace

bool looks_like_zip(std::span<const std::byte> bytes) {
  return as_text(bytes).starts_with("PK\3\4");
}

std::vector<ZipEntry> parse_stored_zip(std::span<const std::byte> bytes, const std::string& file) {
  const ZipBytes zip(bytes, file);
  const ZipDirectory directory = find_directory(zip);
  std::vector<ZipEntry> entries;
  uint64_t at = directory.begin;
  for (uint64_t i = 0; i < directory.entries; ++i)
    entries.push_back(read_entry(zip, directory, at));
  if (at != directory.end)
    zip.refuse("{} bytes after the last entry of the directory", directory.end - at);
  check_entries(zip, entries);
  return entries;
}

}  // namespace tenfold
