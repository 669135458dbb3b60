// Checksums that find damage: XXH3 of bytes and files.
// Not here: cryptographic hashes (nothing here resists an adversary), or CRC (crc32c.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tenfold/error.h"

namespace tenfold {

uint64_t xxh3_64(std::span<const std::byte> bytes);
uint64_t xxh3_64(std::string_view text);

/// XXH3-128; hex() is 32 lower-case digits, the high half first, as `xxh128sum` prints it.
struct Digest128 {
  uint64_t high = 0;
  uint64_t low = 0;

  std::string hex() const;
  bool operator==(const Digest128&) const = default;
};

Digest128 xxh3_128(std::span<const std::byte> bytes);
Digest128 xxh3_128(std::string_view text);

/// XXH3-128 of bytes that come in pieces; equal to xxh3_128 of them joined.
class Hasher128 {
 public:
  Hasher128();
  ~Hasher128();
  Hasher128(Hasher128&&) noexcept;
  Hasher128& operator=(Hasher128&&) noexcept;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  Digest128 digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XXH3-128 of a whole file. Error{kind} naming the path.
Digest128 hash_file(const std::filesystem::path& path, ErrorKind kind = ErrorKind::data);

}  // namespace tenfold
